// Where the record and the page of a run lie: beside the model that the run wrote, or would have written.
import { existsSync } from 'node:fs'
import { UserError } from '../base/errors.ts'

/** `model.fast.onnx` -> `model.fast.run.json` and `model.fast.report.html`. */
export function reportPaths(modelPath: string): { readonly record: string; readonly page: string } {
  const base = modelPath.replace(/\.onnx$/, '')
  return { record: `${base}.run.json`, page: `${base}.report.html` }
}

/** The record that a model or a record names. Throws UserError where there is none. */
export function findRecord(path: string): string {
  const record = path.endsWith('.json') ? path : reportPaths(path).record
  if (existsSync(record)) return record
  const fix = 'name a model that allotrope optimize wrote without --no-report, or its .run.json'
  throw new UserError({
    code: 'no-record',
    where: path,
    expected: `the record of a run at ${record}`,
    got: 'none',
    fix,
  })
}
