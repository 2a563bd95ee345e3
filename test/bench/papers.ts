// The graphs of the papers on tensor graph superoptimisation. Their figures stand beside ours to be read, not to be compared: they
// are of GPUs, of other baselines and of graphs that are larger and partly simpler than these.
import { findWorkload } from '../../src/dataset/workloads/index.ts'
import type { Benchmark } from './benchmark.ts'
import { GAIN_USAGE, type GainOptions, parseGainOptions } from './gain-options.ts'
import { runGains, SLOWER } from './gain-table.ts'
import type { GainCase, GainRow } from './gains.ts'
import { caseName, workloadCase } from './workload-case.ts'

/** Gain in per cent as published with TENSAT (Yang et al., MLSys 2021, mwillsey.com/papers/tensat); null: not among its graphs. */
interface Published {
  readonly taso: number
  readonly tensat: number
}

const PAPERS: Readonly<Record<string, Published | null>> = {
  nasrnn: { taso: 45.4, tensat: 68.9 },
  bert: { taso: 8.5, tensat: 9.2 },
  'resnext-50': { taso: 5.5, tensat: 8.8 },
  'resnet-50': null,
  'nasnet-a': { taso: 1.9, tensat: 7.3 },
  'squeezenet-1.1': { taso: 6.7, tensat: 24.5 },
  'vgg-19': { taso: 8.9, tensat: 8.9 },
  'inception-v3': { taso: 6.3, tensat: 10.0 },
  'mobilenet-v2': null,
}

/** What was published of all graphs together. */
const ANCHORS = [
  'Published, each on other hardware against another baseline: TASO 1.1-3.1x on an NVIDIA V100 against the frameworks; TENSAT and TASO in',
  'the column on a GPU against their kernels without rewriting. Over nine models in a later comparison, mean reduction of the time:',
  'TENSAT 15.3 %, Monte Carlo tree search with exact extraction 18.6 %, greedy extraction by tree cost -5.8 %. Constable over XLA: 3.45 % in',
  'the mean, at most 56 %.',
]

export const papersBenchmark: Benchmark = {
  name: 'papers',
  about: `the graphs of the papers, beside what was published; --size small|full ${GAIN_USAGE}`,
  run: (args) => {
    const options = parseGainOptions(args)
    const size = options.size ?? 'full'
    const published = new Map(Object.entries(PAPERS).map(([n, p]) => [caseName(findWorkload(n), size), p]))
    return runGains((folder) => cases(folder, size, options), options, {
      heads: ['published, on a GPU'],
      cells: (name) => [publishedText(published.get(name) ?? null)],
      summary,
    })
  },
}

function* cases(folder: string, size: string, { wants, seed }: GainOptions): Generator<GainCase> {
  for (const name of Object.keys(PAPERS).filter(wants)) yield workloadCase(findWorkload(name), size, folder, seed)
}

const publishedText = (p: Published | null): string =>
  p === null ? 'not by TENSAT' : `TASO +${p.taso} %, TENSAT +${p.tensat} %`

function summary(rows: readonly GainRow[]): readonly string[] {
  const slower = rows.filter((r) => r.speedup !== null && r.speedup.median < SLOWER).map((r) => r.name)
  return [
    `Target: none below ${SLOWER}; ${slower.length === 0 ? 'met' : `MISSED by ${slower.join(', ')}`}.`,
    ...ANCHORS,
  ]
}
