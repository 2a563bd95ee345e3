// The backends that one run needs beside each other, each with processes of its own.
import type { Backend, DeviceName } from './backend.ts'
import { createBackend, createExactBackend } from './backends.ts'
import { timeoutWithin } from './worker-process.ts'

export interface Crew {
  /** Lowers and times. */
  readonly device: Backend
  /** The CPU, which also runs the original unoptimised; on the CPU, a process apart from the one that times. */
  readonly oracle: Backend
  /** Runs what is verified. */
  readonly tested: Backend
  /** Runs the original in float64. */
  readonly exact: Backend
}

/** Nothing is started before it is asked for something. */
export function openCrew(device: DeviceName, timeLimit: number | null): Crew {
  const within = { timeoutMs: timeoutWithin(timeLimit) }
  const [oracle, timed] = [createBackend('cpu', within), createBackend(device, within)]
  const isCpu = device === 'cpu'
  return { oracle, exact: createExactBackend(timeLimit), device: timed, tested: isCpu ? oracle : timed }
}

export async function closeCrew(crew: Crew): Promise<void> {
  await Promise.all([...new Set<Backend>(Object.values(crew))].map((b) => b.close()))
}
