// Backends for the length of one command: opened on a device that is really there, closed whatever happens.
import type { Backend, DeviceName } from '../runtime/index.ts'

interface Within {
  readonly device: DeviceName
  readonly timeLimit: number | null
  /** Where it is aborted, nobody waits for what a model computes at the time: this process takes its workers along. */
  readonly signal: AbortSignal
}

/** Runs `work` on the CPU, on the device, which may be the same, and in float64. Throws UserError with exit code 6 where the device is missing. */
export async function withDevices<T>(
  { device, timeLimit, signal }: Within,
  work: (cpu: Backend, device: Backend, exact: Backend) => Promise<T>,
): Promise<T> {
  // Loaded here, so that verbs which execute nothing do not pay for it.
  const { createExactBackend, OnnxruntimeBackend, requireAvailable, timeoutWithin } = await import(
    '../runtime/index.ts'
  )
  const within = { timeoutMs: timeoutWithin(timeLimit) }
  const cpu = new OnnxruntimeBackend('cpu', within)
  const chosen = device === 'cpu' ? cpu : new OnnxruntimeBackend(device, within)
  const exact = createExactBackend(timeLimit)
  try {
    if (chosen !== cpu) await requireAvailable(chosen)
    return await Promise.race([work(cpu, chosen, exact), interruption(signal)])
  } finally {
    const closed = Promise.all([...new Set([cpu, chosen, exact])].map((backend) => backend.close()))
    if (!signal.aborted) await closed
  }
}

const interruption = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
