// The door check of every flow that was asked for a device: it is there, or the user hears why not and how to get it.
import { EXIT, UserError } from '../base/errors.ts'
import type { Backend } from './backend.ts'

/** What the device is (adapter, version). Throws UserError with exit code 6 where it is missing. */
export async function requireAvailable(backend: Backend): Promise<string> {
  const { available, reason, fix } = await backend.probe()
  if (available) return reason
  throw new UserError({
    code: 'missing-provider',
    where: `--device ${backend.name}`,
    expected: 'a device that works',
    got: reason,
    fix,
    exitCode: EXIT.providerMissing,
  })
}
