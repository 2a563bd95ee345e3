// Records on disk, as JSON beside the model: `<output>.run.json`. The page can be made again from them at any time.
import { readFileSync } from 'node:fs'
import writeFileAtomic from 'write-file-atomic'
import type { z } from 'zod'
import { EXIT, UserError } from '../base/errors.ts'
import { type CompareRecord, compareSchema } from './compare-record.ts'
import { type RunRecord, runSchema } from './record.ts'

/** Non-finite numbers have no place in JSON: what differs in kind is stored as the largest float. */
const finite = (_: string, value: unknown): unknown => (value === Number.POSITIVE_INFINITY ? Number.MAX_VALUE : value)

/** Writes a record, whole or not at all. */
export async function writeRecord(path: string, record: RunRecord | CompareRecord): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(record, finite, 2)}\n`)
}

/** Throws UserError (exit code 7) with the first thing that is wrong. */
export function readRun(path: string): RunRecord {
  return read(path, runSchema, 'allotrope optimize')
}

export function readComparison(path: string): CompareRecord {
  return read(path, compareSchema, 'allotrope compare')
}

function read<T>(path: string, schema: z.ZodType<T>, maker: string): T {
  const parsed = schema.safeParse(parseJson(path, maker))
  if (parsed.success) return parsed.data
  const first = parsed.error.issues[0]!
  throw damaged(
    path,
    `a record written by ${maker}`,
    `${first.path.join('.') || 'the record'}: ${first.message}`,
    maker,
  )
}

function parseJson(path: string, maker: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw damaged(path, 'a readable JSON file', error instanceof Error ? error.message : String(error), maker)
  }
}

function damaged(where: string, expected: string, got: string, maker: string): UserError {
  return new UserError({
    code: 'damaged-record',
    where,
    expected,
    got,
    fix: `run ${maker} again`,
    exitCode: EXIT.dataDamaged,
  })
}
