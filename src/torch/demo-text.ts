// The listing of the seed demonstration ("Mirage Concepts with PyTorch FX"), section by section, from data. Two things are
// mended against the original: its marks are plain text that every terminal shows, and a variant has no dead nodes.
import type { FxGraph } from './fx-graph.ts'
import { printFx } from './fx-print.ts'
import { forwardCode } from './python-code.ts'

export interface DemoVariant {
  readonly name: string
  readonly graph: FxGraph
  readonly ms: number
  readonly maxDiff: number
}

export interface DemoIteration {
  /** Graphs, or e-nodes, at its start. */
  readonly size: number
  readonly found: readonly string[]
}

export interface Demo {
  readonly title: string
  readonly original: FxGraph
  readonly iterations: readonly DemoIteration[]
  /** What `size` counts: `graphs`, `e-nodes`. */
  readonly unit: string
  readonly variants: readonly DemoVariant[]
  /** Largest difference that counts as equal. */
  readonly tolerance: number
  readonly insights: readonly string[]
}

const RULE = '='.repeat(80)
const heading = (text: string) => [RULE, text, RULE]

/** A variant's code between blank lines, as `print(graph_module.code)` shows it. */
export function codeListing(graph: FxGraph): readonly string[] {
  return ['', '', '', ...forwardCode(graph).split('\n'), '', '']
}

export function originalListing(d: Demo): readonly string[] {
  return [
    ...heading(d.title),
    '',
    'Original Graph:',
    ...printFx(d.original).split('\n'),
    '',
    'Original Code:',
    ...codeListing(d.original),
  ]
}

export function saturationListing(d: Demo): readonly string[] {
  const rounds = d.iterations.flatMap((it, i) => [
    `   Iteration ${i + 1}: ${it.size} ${d.unit}`,
    ...it.found.map((name) => `      + Found new variant: ${name}`),
    '',
  ])
  return [
    RULE,
    '',
    'Starting Equality Saturation...',
    '',
    ...rounds.slice(0, -1),
    `   E-graph contains ${d.variants.length} equivalent forms`,
    '',
  ]
}

export function variantsListing(d: Demo): readonly string[] {
  return [
    ...heading('All Generated Variants:'),
    '',
    ...d.variants.flatMap((v) => [`${v.name}:`, ...codeListing(v.graph)]),
  ]
}

export function timingListing(d: Demo): readonly string[] {
  const rows = d.variants.map((v) => `   ${v.name.padEnd(20)} ${v.ms.toFixed(6)} ms/iteration`)
  return [...heading('Benchmarking All Variants:'), ...rows, '']
}

/** Fastest first; equal times keep their order. */
function ranked(d: Demo): readonly DemoVariant[] {
  return d.variants.toSorted((a, b) => a.ms - b.ms)
}

export interface DemoResult {
  readonly best: DemoVariant
  readonly worst: DemoVariant
  /** Time of the worst over time of the best. */
  readonly ratio: number
}

export function demoResult(d: Demo): DemoResult {
  const order = ranked(d)
  const [best, worst] = [order[0]!, order.at(-1)!]
  return { best, worst, ratio: worst.ms / best.ms }
}

export function resultListing(d: Demo): readonly string[] {
  const { best, worst, ratio } = demoResult(d)
  return [
    ...heading('Results:'),
    `Best variant:  ${best.name} (${best.ms.toFixed(6)} ms)`,
    `Worst variant: ${worst.name} (${worst.ms.toFixed(6)} ms)`,
    `Speedup: ${ratio.toFixed(2)}x`,
    '',
    'Optimal Graph IR:',
    ...printFx(best.graph).split('\n'),
    '',
    'Optimal Python Code:',
    ...codeListing(best.graph),
  ]
}

export function verificationListing(d: Demo): readonly string[] {
  const passed = (v: DemoVariant) => v.maxDiff < d.tolerance
  const rows = d.variants.map(
    (v) => `   ${passed(v) ? 'pass' : 'FAIL'} ${v.name.padEnd(20)} max_diff=${exponent(v.maxDiff)}`,
  )
  const failed = d.variants.filter((v) => !passed(v)).length
  const verdict =
    failed === 0
      ? 'All variants produce identical results!'
      : `${failed} of ${d.variants.length} variants differ by ${d.tolerance} or more.`
  return [...heading('Verifying Correctness:'), ...rows, '', verdict, '']
}

/** Python's `%.2e`. */
function exponent(x: number): string {
  return x.toExponential(2).replace(/e([+-])(\d)$/, 'e$10$2')
}

export function insightsListing(d: Demo): readonly string[] {
  return [...heading('Key Insights:'), ...d.insights.map((text, i) => `${i + 1}. ${text}`)]
}

/** The whole listing, ending in a newline. */
export function demoListing(d: Demo): string {
  const sections = [
    originalListing,
    saturationListing,
    variantsListing,
    timingListing,
    resultListing,
    verificationListing,
    insightsListing,
  ]
  return `${sections.flatMap((section) => section(d)).join('\n')}\n`
}
