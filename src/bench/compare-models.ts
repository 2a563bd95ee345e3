// Two models in memory, compared on inputs drawn for them: for parts of a model that the whole may never run.
import { join } from 'node:path'
import type { InputShapes } from '../ir/bind.ts'
import { type Model, writeModelFile } from '../onnx/index.ts'
import { inputSets } from './input-sets.ts'
import { type VerifyTarget, verifyModels } from './verify.ts'

/** Null: they compute the same; else what differs, or why that cannot be told. `folder`: for files of the moment. */
export async function compareModels(
  target: VerifyTarget,
  original: Model,
  changed: Model,
  shapes: InputShapes,
  { folder, seed }: { readonly folder: string; readonly seed: number },
): Promise<string | null> {
  const paths = ['part.onnx', 'changed-part.onnx'].map((name) => join(folder, name)) as [string, string]
  writeModelFile(paths[0], original, { force: true, isDurable: false })
  writeModelFile(paths[1], changed, { force: true, isDurable: false })
  const outcome = await verifyModels(target, ...paths, inputSets(original.graph, shapes, { seed }))
  if (!outcome.ok) return `it does not run by itself: ${outcome.reason}`
  return outcome.value.passed ? null : `it does not pass verification: ${outcome.value.reason}`
}
