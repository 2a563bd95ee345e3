// The table of backends. To add one, write its file and its row.
import type { Backend, DeviceName } from './backend.ts'
import { type BackendOptions, OnnxruntimeBackend } from './onnxruntime.ts'
import { ReferenceBackend } from './reference.ts'
import { timeoutWithin } from './worker-process.ts'

export const BACKENDS: Readonly<Record<Backend['name'], (options?: BackendOptions) => Backend>> = {
  cpu: (options) => new OnnxruntimeBackend('cpu', options),
  webgpu: (options) => new OnnxruntimeBackend('webgpu', options),
  cuda: (options) => new OnnxruntimeBackend('cuda', options),
  reference: (options) => new ReferenceBackend(options),
}

/** What --device may name. */
export const DEVICES: readonly DeviceName[] = ['cpu', 'webgpu', 'cuda']

/** A model that takes longer in float64 is judged without. */
const EXACT_TIMEOUT_MS = 20_000

/** The reference interpreter, for no longer than is worth it. */
export const createExactBackend = (timeLimit: number | null): Backend =>
  createBackend('reference', { timeoutMs: Math.min(timeoutWithin(timeLimit), EXACT_TIMEOUT_MS) })

/** A backend; nothing is started before it is asked for something. Close it when done. */
export function createBackend(name: Backend['name'], options?: BackendOptions): Backend {
  return BACKENDS[name](options)
}
