// Backends for the length of one command: opened on a device that is really there, closed whatever happens.
import { EXIT, UserError } from '../base/errors.ts'
import type { Backend, DeviceName } from '../runtime/index.ts'

/** Runs `work` on the CPU and on the device, which may be the same. Throws UserError with exit code 6 where the device is missing. */
export async function withDevices<T>(
  device: DeviceName,
  work: (cpu: Backend, device: Backend) => Promise<T>,
): Promise<T> {
  // Loaded here, so that verbs which execute nothing do not pay for it.
  const { OnnxruntimeBackend } = await import('../runtime/index.ts')
  const cpu = new OnnxruntimeBackend('cpu')
  const chosen = device === 'cpu' ? cpu : new OnnxruntimeBackend(device)
  try {
    if (chosen !== cpu) await requireDevice(chosen)
    return await work(cpu, chosen)
  } finally {
    await Promise.all([...new Set([cpu, chosen])].map((backend) => backend.close()))
  }
}

async function requireDevice(backend: Backend): Promise<void> {
  const { available, reason, fix } = await backend.probe()
  if (available) return
  throw new UserError({
    code: 'missing-provider',
    where: `--device ${backend.name}`,
    expected: 'a device that works',
    got: reason,
    fix,
    exitCode: EXIT.providerMissing,
  })
}
