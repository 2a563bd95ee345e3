// The table of backends. To add one, write its file and its row.
import type { Backend, DeviceName } from './backend.ts'
import { type BackendOptions, OnnxruntimeBackend } from './onnxruntime.ts'
import { ReferenceBackend } from './reference.ts'

export const BACKENDS: Readonly<Record<Backend['name'], (options?: BackendOptions) => Backend>> = {
  cpu: (options) => new OnnxruntimeBackend('cpu', options),
  webgpu: (options) => new OnnxruntimeBackend('webgpu', options),
  cuda: (options) => new OnnxruntimeBackend('cuda', options),
  reference: (options) => new ReferenceBackend(options),
}

/** What --device may name. */
export const DEVICES: readonly DeviceName[] = ['cpu', 'webgpu', 'cuda']

/** A backend; nothing is started before it is asked for something. Close it when done. */
export function createBackend(name: Backend['name'], options?: BackendOptions): Backend {
  return BACKENDS[name](options)
}
