// `demo`: the demonstration that this project started from, on our engine.
import { availableParallelism } from 'node:os'
import type { DemoResult, DemoVariant } from '../../demo.ts'
import { type Answer, defineCommand } from '../command.ts'
import { withDevices } from '../devices.ts'
import { countOption } from '../option.ts'
import { table } from '../table.ts'

const micros = (ms: number): string => `${(ms * 1000).toFixed(2)} us`

/** `1.03 (0.99-1.07)` */
function ratioText(r: DemoVariant['toOriginal']): string {
  return r === null ? '-' : `${r.median.toFixed(2)} (${r.low.toFixed(2)}-${r.high.toFixed(2)})`
}

function describe(r: DemoResult): string {
  const head = ['variant', 'median', 'iqr', 'time to original', 'max difference']
  const rows = r.variants.map((v) => [
    v.name,
    micros(v.ms),
    micros(v.iqrMs),
    ratioText(v.toOriginal),
    v.maxDiff.toExponential(1),
  ])
  return `${r.listing}\n${table(head, rows)}`
}

export const demo = defineCommand({
  name: 'demo',
  operands: '',
  summary: 'the seed demonstration: every program equal to (x + y) * 2.0, verified and timed',
  examples: [
    ['', 'on vectors of 1024 elements'],
    ['--length 1000000 --blocks 10', 'on longer vectors, in fewer blocks'],
  ],
  schemaVersion: 1,
  options: {
    length: countOption('--length <n>', 'elements of the two vectors', 1024),
    blocks: countOption('--blocks <n>', 'timed blocks', 30),
  },
  async run({ options, talk }): Promise<Answer> {
    const { demo: runDemo } = await import('../../demo.ts')
    const { seed, length, blocks } = options
    const threads = options.threads ?? availableParallelism()
    const result = await withDevices(
      { device: options.device ?? 'cpu', timeLimit: options.timeLimit },
      (oracle, device) => runDemo({ seed, threads, length, blocks, oracle, device }, talk),
    )
    for (const warning of result.warnings) talk.warn(warning)
    const { listing: _, ...data } = result
    return { data, text: describe(result) }
  },
})
