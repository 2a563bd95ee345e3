// Candidates compared with the original, in order, until as many as are wanted compute the same.
import { join } from 'node:path'
import { type Model, type StoredTensors, writeModelFile } from '../onnx/index.ts'
import { type Reference, type Verification, verifyCandidate } from './verify.ts'

/** A candidate on disk, compared with the original. */
export interface Compared<R> {
  readonly ranked: R
  readonly path: string
  readonly verification: Verification
}

/** Models that live for this run only; large weights lie beside them, where runtimes map them instead of parsing them. */
const TEMPORARY = { force: true, isDurable: false, externalAboveBytes: 2 ** 27 } as const

/** All that were compared; `onNext` hears, before each, how many have passed. Their files lie in `folder`; the first is written
 * while the original may still be answering. */
export async function verifyUntil<R extends { readonly id: string; readonly model: Model }>(
  reference: () => Promise<Reference>,
  queue: readonly R[],
  { folder, wanted }: { readonly folder: string; readonly wanted: number },
  onNext: (passed: number) => void,
): Promise<readonly Compared<R>[]> {
  const compared: Compared<R>[] = []
  const stored: StoredTensors = new Map()
  let passed = 0
  for (const ranked of queue) {
    if (passed === wanted) break
    onNext(passed)
    const path = join(folder, `${ranked.id}.onnx`)
    writeModelFile(path, ranked.model, { ...TEMPORARY, stored })
    const verification = await verifyCandidate(await reference(), path)
    if (verification.passed) passed++
    compared.push({ ranked, path, verification })
  }
  return compared
}
