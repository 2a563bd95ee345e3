// Blocks and whole classifiers of deployed models, at sizes at which the rewrite matters, beside the form that a person would write.
import { findWorkload } from '../../src/dataset/workloads/index.ts'
import type { Benchmark } from './benchmark.ts'
import { GAIN_USAGE, type GainOptions, parseGainOptions } from './gain-options.ts'
import { runGains } from './gain-table.ts'
import type { GainCase, GainRow } from './gains.ts'
import { caseName, workloadCase } from './workload-case.ts'

interface Block {
  readonly name: string
  readonly size: string
  /** How many times as fast the result must be; null: reported without a target. */
  readonly target: number | null
}

const BLOCKS: readonly Block[] = [
  { name: 'segformer-head', size: 'b0', target: 4 },
  { name: 'graph-convolution', size: 'cora', target: 20 },
  { name: 'linear-attention', size: 'long', target: 8 },
  { name: 'classifier-head', size: 'base', target: 3 },
  { name: 'two-tower-scorer', size: 'many', target: 5 },
  { name: 'repvgg-training-form', size: 'full', target: 1.15 },
  { name: 'bert-first-token', size: 'six', target: 1.1 },
  { name: 'bert-first-token', size: 'twelve', target: null },
  { name: 'vit-first-token', size: 'six', target: 1.1 },
  { name: 'vit-first-token', size: 'twelve', target: null },
]

export const blocksBenchmark: Benchmark = {
  name: 'blocks',
  about: `blocks of deployed models, beside the form by hand; --size SIZE in place of theirs ${GAIN_USAGE}`,
  run: (args) => {
    const options = parseGainOptions(args)
    const blocks = chosen(options)
    const targets = new Map(blocks.map((b) => [caseName(findWorkload(b.name), b.size), b.target]))
    const cells = (name: string) => [targets.get(name)?.toFixed(2) ?? 'none']
    return runGains((folder) => cases(blocks, folder, options), options, {
      ...{ heads: ['target'], cells, byHand: true },
      summary: (rows) => summary(rows, targets),
    })
  },
}

/** At the size that was asked for there is no target: the targets are for the sizes above. */
function chosen({ wants, size }: GainOptions): readonly Block[] {
  const wanted = BLOCKS.filter((b) => wants(b.name))
  if (size === null) return wanted
  const names = [...new Set(wanted.map((b) => b.name))].filter((name) => findWorkload(name).sizes.includes(size))
  return names.map((name) => wanted.find((b) => b.name === name && b.size === size) ?? { name, size, target: null })
}

function* cases(blocks: readonly Block[], folder: string, { seed }: GainOptions): Generator<GainCase> {
  for (const { name, size } of blocks) yield workloadCase(findWorkload(name), size, folder, seed)
}

function summary(rows: readonly GainRow[], targets: ReadonlyMap<string, number | null>): readonly string[] {
  return rows.flatMap(({ name, speedup }) => {
    const target = targets.get(name) ?? null
    if (target === null || speedup === null) return []
    const verdict = speedup.median >= target ? 'met' : 'MISSED'
    return [`${name}: ${speedup.median.toFixed(2)}, target ${target.toFixed(2)} ${verdict}.`]
  })
}
