// Options that the benchmarks of gains share.
import { parseArgs } from 'node:util'
import { nameFilter } from '../../src/base/glob.ts'

export interface GainOptions {
  /** Whether a case of this name was asked for. */
  readonly wants: (name: string) => boolean
  /** Fresh processes that the written model is measured in. */
  readonly processes: number
  readonly threads: number
  /** Variants that `optimize` measures. */
  readonly measure: number
  readonly seed: number
  /** Cases that are left out usually. */
  readonly all: boolean
  /** Size of workloads; null: what the benchmark takes by itself. */
  readonly size: string | null
  /** Folder of the cases, where they lie outside the repository. */
  readonly folder: string | null
  /** Where the rows go, as JSON. */
  readonly json: string | null
  /** Folder that keeps the written models. */
  readonly keep: string | null
}

export const GAIN_USAGE = '[NAMES] --processes 5 --threads 1 --measure 5 --seed 0 --all --json FILE --keep FOLDER'

/** Throws TypeError on options that there are not. */
export function parseGainOptions(args: readonly string[]): GainOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      processes: { type: 'string', default: '5' },
      threads: { type: 'string', default: '1' },
      measure: { type: 'string', default: '5' },
      seed: { type: 'string', default: '0' },
      all: { type: 'boolean', default: false },
      size: { type: 'string' },
      folder: { type: 'string' },
      json: { type: 'string' },
      keep: { type: 'string' },
    },
  })
  return {
    wants: nameFilter(positionals.join(',')),
    processes: count(values.processes, 'processes'),
    threads: count(values.threads, 'threads'),
    measure: count(values.measure, 'measure'),
    seed: Number(values.seed),
    all: values.all,
    size: values.size ?? null,
    folder: values.folder ?? null,
    json: values.json ?? null,
    keep: values.keep ?? null,
  }
}

function count(text: string, name: string): number {
  const n = Number(text)
  if (Number.isSafeInteger(n) && n > 0) return n
  throw new TypeError(`--${name}: expected a positive whole number, got ${text}`)
}
