// Candidates compared with the original, in order, until as many as are wanted compute the same.
import { join } from 'node:path'
import { beginFlush } from '../base/whole-file.ts'
import { isOneFile, type Model, type StoredTensors, writeModelFile } from '../onnx/index.ts'
import { type Reference, type Verification, verifyCandidate } from './verify.ts'

/** A candidate on disk, compared with the original. */
export interface Compared<R> {
  readonly ranked: R
  readonly path: string
  /** Nothing of it lies in another file. */
  readonly isOneFile: boolean
  readonly verification: Verification
}

/** Models that live for this run only. Of several, large weights lie beside them: they share most, and runtimes map them instead of
 * parsing them. One alone is written as it will stay. */
const TEMPORARY = { force: true, isDurable: false } as const
const SEVERAL = { ...TEMPORARY, externalAboveBytes: 2 ** 27 } as const

/** All that were compared; `next` names one after the other; `onNext` hears, before each, how many have passed. Their files lie in
 * `folder`; the first is written while the original may still be answering. */
export async function verifyUntil<R extends { readonly id: string; readonly model: Model }>(
  reference: () => Promise<Reference>,
  next: (compared: readonly Compared<R>[]) => R | undefined,
  { folder, wanted }: { readonly folder: string; readonly wanted: number },
  onNext: (passed: number) => void,
): Promise<readonly Compared<R>[]> {
  const compared: Compared<R>[] = []
  const how = wanted === 1 ? TEMPORARY : SEVERAL
  const stored: StoredTensors = new Map()
  let passed = 0
  for (let ranked = next([]); ranked !== undefined && passed < wanted; ranked = next(compared)) {
    onNext(passed)
    const path = join(folder, `${ranked.id}.onnx`)
    writeModelFile(path, ranked.model, { ...how, stored })
    if (wanted === 1) beginFlush(path)
    const verification = await verifyCandidate(await reference(), path)
    if (verification.passed) passed++
    compared.push({ ranked, path, isOneFile: isOneFile(ranked.model, how), verification })
  }
  return compared
}
