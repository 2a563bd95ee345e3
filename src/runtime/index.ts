// The runtime room: what executes graphs, each in child processes of its own.
export * from './backend.ts'
export { BACKENDS, createBackend, DEVICES } from './backends.ts'
export { loweredHash } from './kernel-table.ts'
export { type BackendOptions, OnnxruntimeBackend } from './onnxruntime.ts'
export { correctedTotalMs, type ProviderShare, providerShares } from './profile.ts'
export { ReferenceBackend } from './reference.ts'
export { requireAvailable } from './require.ts'
export { onnxruntimeVersion } from './version.ts'
