// The tables of a dataset. A dataset is one folder: dataset.json (name, schema, licence), machine.json (where it was measured),
// README.md (the datasheet, generated from this file) and one CSV file per table:
//
//   graphs          root graphs that were varied
//   variants        equal graphs of a root, and the kernels that the runtime executes for each
//   timings         end-to-end times of variants; a failed measurement is a row with its error
//   kernels         distinct executed kernels
//   kernel-timings  times of kernels, profiled inside real and synthetic graphs
//
// Times of kernels are as profiled, uncorrected. Rows are append-only; `key` columns name a row, and a key occurs once.
// What is referred to is written first, and the row of a root graph last: a root without its row in `graphs` was interrupted,
// its rows are not used, and collecting again completes it.
import type { Column, RowOf } from './column.ts'

export const DATASET_SCHEMA = 'allotrope.dataset/1'

const GRAPHS = [
  { name: 'root', kind: 'text', unit: '', meaning: 'identifier of the root graph' },
  {
    name: 'family',
    kind: 'text',
    unit: '',
    meaning: 'graphs of one family follow from the same identity or architecture; splits keep them together',
  },
  { name: 'name', kind: 'text', unit: '', meaning: 'workload and size, or file name of a model' },
  { name: 'seed', kind: 'integer', unit: '', meaning: 'seed of the weights and inputs' },
  { name: 'nodes', kind: 'integer', unit: 'count', meaning: 'nodes of the root as written' },
  { name: 'inputs', kind: 'text', unit: '', meaning: 'input shapes at which it was measured: name=1x3x32x32;..' },
] as const satisfies readonly Column[]

const VARIANTS = [
  { name: 'variant', kind: 'text', unit: '', meaning: 'identifier of the variant' },
  { name: 'root', kind: 'text', unit: '', meaning: 'root graph that it equals' },
  {
    name: 'plan',
    kind: 'text',
    unit: '',
    meaning:
      "recipe by which it was made, the same word in every root; 'original' is the root itself; empty: drawn at random",
    optional: true,
  },
  {
    name: 'rules',
    kind: 'text',
    unit: '',
    meaning: 'rewrite rules that were applied, with counts: name:2;..',
    optional: true,
  },
  { name: 'lowered', kind: 'text', unit: '', meaning: 'hash of the executed graph; variants that share it are one' },
  { name: 'nodes', kind: 'integer', unit: 'count', meaning: 'nodes of the variant as written' },
  { name: 'kernels', kind: 'text', unit: '', meaning: 'executed kernels and how often each runs: kernel:2;..' },
] as const satisfies readonly Column[]

const TIMINGS = [
  { name: 'variant', kind: 'text', unit: '', meaning: 'variant that was timed' },
  { name: 'device', kind: 'text', unit: '', meaning: 'cpu, webgpu or cuda' },
  { name: 'provider', kind: 'text', unit: '', meaning: 'execution provider and runtime version' },
  { name: 'threads', kind: 'integer', unit: 'count', meaning: 'threads of the runtime' },
  {
    name: 'repeat',
    kind: 'integer',
    unit: '',
    meaning: 'number of the independent measurement, from 0: another process, another time',
  },
  { name: 'medianMs', kind: 'number', unit: 'ms', meaning: 'median time of one run', optional: true },
  { name: 'iqrMs', kind: 'number', unit: 'ms', meaning: 'interquartile range of the timings', optional: true },
  { name: 'minMs', kind: 'number', unit: 'ms', meaning: 'fastest timing', optional: true },
  { name: 'n', kind: 'integer', unit: 'count', meaning: 'timings' },
  {
    name: 'ratio',
    kind: 'number',
    unit: '1',
    meaning: "time over the original's in the same interleaved blocks",
    optional: true,
  },
  { name: 'ratioLow', kind: 'number', unit: '1', meaning: 'lower end of its 95 % bootstrap interval', optional: true },
  { name: 'ratioHigh', kind: 'number', unit: '1', meaning: 'upper end of its 95 % bootstrap interval', optional: true },
  {
    name: 'profiledUs',
    kind: 'number',
    unit: 'us',
    meaning: 'sum of the profiled durations of one run, uncorrected; empty: not profiled',
    optional: true,
  },
  { name: 'error', kind: 'text', unit: '', meaning: 'why there is no time; empty: measured', optional: true },
] as const satisfies readonly Column[]

const KERNELS = [
  { name: 'kernel', kind: 'text', unit: '', meaning: 'identifier: hash of the signature' },
  { name: 'op', kind: 'text', unit: '', meaning: 'qualified operator name' },
  {
    name: 'definition',
    kind: 'text',
    unit: '',
    meaning: 'the kernel as JSON: operands with dtype, shape, constancy; attributes',
  },
] as const satisfies readonly Column[]

const KERNEL_TIMINGS = [
  { name: 'kernel', kind: 'text', unit: '', meaning: 'kernel that was timed' },
  {
    name: 'source',
    kind: 'text',
    unit: '',
    meaning: "'profile' (inside a variant) or 'synthetic' (inside a generated graph)",
  },
  { name: 'context', kind: 'text', unit: '', meaning: 'root graph, or generated graph, that it ran in' },
  { name: 'device', kind: 'text', unit: '', meaning: 'cpu, webgpu or cuda' },
  { name: 'provider', kind: 'text', unit: '', meaning: 'execution provider and runtime version' },
  { name: 'threads', kind: 'integer', unit: 'count', meaning: 'threads of the runtime' },
  {
    name: 'micros',
    kind: 'number',
    unit: 'us',
    meaning: 'one execution as profiled, uncorrected: mean of the middle half of the durations',
  },
  { name: 'iqrUs', kind: 'number', unit: 'us', meaning: 'interquartile range of the durations' },
  { name: 'n', kind: 'integer', unit: 'count', meaning: 'durations' },
] as const satisfies readonly Column[]

export interface Table {
  readonly columns: readonly Column[]
  /** Columns that name a row. */
  readonly key: readonly string[]
  readonly meaning: string
}

/** Every table, in the order in which a batch is written. */
export const TABLES = {
  kernels: { columns: KERNELS, key: ['kernel'], meaning: 'distinct executed kernels' },
  variants: {
    columns: VARIANTS,
    key: ['variant'],
    meaning: 'equal graphs of a root, and what the runtime executes for each',
  },
  'kernel-timings': {
    columns: KERNEL_TIMINGS,
    key: ['kernel', 'source', 'context', 'device', 'provider', 'threads'],
    meaning: 'times of kernels, profiled inside real and synthetic graphs',
  },
  timings: {
    columns: TIMINGS,
    key: ['variant', 'device', 'provider', 'threads', 'repeat'],
    meaning: 'end-to-end times of variants',
  },
  graphs: { columns: GRAPHS, key: ['root'], meaning: 'root graphs that were varied' },
} as const satisfies Readonly<Record<string, Table>>

export type TableName = keyof typeof TABLES
export const TABLE_NAMES = Object.keys(TABLES) as readonly TableName[]
export type Row<T extends TableName> = RowOf<(typeof TABLES)[T]['columns']>
export type GraphRow = Row<'graphs'>
export type VariantRow = Row<'variants'>
export type TimingRow = Row<'timings'>
export type KernelRow = Row<'kernels'>
export type KernelTimingRow = Row<'kernel-timings'>

/** Key of a row as one text. */
export function rowKey<T extends TableName>(
  table: T,
  row: Pick<Row<T>, never> & Readonly<Record<string, unknown>>,
): string {
  return TABLES[table].key.map((name) => String(row[name])).join('\u0000')
}

/** `a:2;b:1` from pairs; names hold neither colons followed by digits and an end, nor semicolons. */
export function formatCounts(counts: Iterable<readonly [name: string, count: number]>): string {
  return [...counts].map(([name, count]) => `${name}:${count}`).join(';')
}

/** Pairs from `a:2;b:1`; null where the text is not that. */
export function parseCounts(text: string): readonly (readonly [name: string, count: number])[] | null {
  if (text === '') return []
  const pairs = text.split(';').map((part): readonly [string, number] => {
    const at = part.lastIndexOf(':')
    return [part.slice(0, at), at < 1 ? Number.NaN : Number(part.slice(at + 1))]
  })
  return pairs.every(([, n]) => Number.isSafeInteger(n) && n > 0) ? pairs : null
}
