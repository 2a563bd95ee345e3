// After a verification that no variant passed: a folder beside the output that shows it, and the command that sees it again.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { REPLAY, writeReplay } from '../bench/index.ts'
import type { Run } from '../optimize.ts'
import { commandLine } from './shell.ts'

export interface Replay {
  readonly folder: string
  readonly command: string
}

export const isVerificationFailed = ({ verified }: Run): boolean =>
  verified.length > 0 && verified.every((v) => !v.verification.passed)

/** Leaves a replay of the best variant that ran and differs, or crashed; null where there is none, and nothing is written. */
export function leaveReplay(run: Run): Replay | null {
  const wrong = isVerificationFailed(run) ? run.verified.find((v) => v.verification.witness) : undefined
  if (!wrong) return null
  const { input, device } = run.options
  const folder = freeFolder(run.outputPath.replace(/(\.onnx)?$/, '.replay'))
  const paths = [join(folder, REPLAY.model), '--inputs', join(folder, REPLAY.inputs)]
  const command = commandLine(['verify', input, ...paths, ...(device === 'cpu' ? [] : ['--device', device])])
  const { reason, witness } = wrong.verification
  writeReplay(folder, wrong.ranked.model, witness!, `${wrong.ranked.id}: ${reason}\n${command}\n`)
  return { folder, command }
}

/** A folder that does not exist: earlier replays stay. */
function freeFolder(wish: string): string {
  let folder = wish
  for (let i = 2; existsSync(folder); i++) folder = `${wish}-${i}`
  return folder
}
