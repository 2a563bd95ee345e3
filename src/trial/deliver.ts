// The model that was chosen, put where the user wants it.
import { moveModelFile, writeModelFile } from '../onnx/index.ts'
import type { Verified } from './trial.ts'

/** The very file that was compared, where it is one; it lies at `path` no longer. */
export function deliver({ ranked, path, isOneFile }: Verified, outputPath: string, force: boolean): void {
  if (isOneFile) moveModelFile(path, outputPath, { force })
  else writeModelFile(outputPath, ranked.model, { force })
}
