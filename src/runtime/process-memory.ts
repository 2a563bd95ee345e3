// Resident memory of a child process, and how much of it we let it have. Linux is asked through /proc; where there is none,
// nothing is known and only the operating system's own limit stands.
import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import process from 'node:process'

/** Linux's page size on every platform that ONNX Runtime has binaries for. */
const PAGE_BYTES = 4096

/** Bytes that the process holds in memory; null where the platform does not tell, or the process is gone. */
export function residentBytes(pid: number): number | null {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES
  } catch {
    return null
  }
}

/** Four fifths of the memory that this machine or container has. */
export function defaultMemoryLimit(): number {
  const constrained = process.constrainedMemory()
  return 0.8 * (constrained > 0 ? Math.min(totalmem(), constrained) : totalmem())
}
