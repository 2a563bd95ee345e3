// `demo`: the demonstration that this project started from, on our engine.
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { UserError } from '../../base/errors.ts'
import type { DemoResult, DemoVariant } from '../../demo.ts'
import { readSafetensors } from '../../torch/index.ts'
import { type Answer, defineCommand } from '../command.ts'
import { withDevices } from '../devices.ts'
import { countOption, shapesOption, textOption } from '../option.ts'
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
  const different = r.differences.length === 0 ? [] : ['', 'What differs from the first demonstration, and why:']
  return [`${r.listing}\n${table(head, rows)}`, ...different, ...r.differences.map((d) => `- ${d}`)].join('\n')
}

function readBytes(path: string, expected: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error)
    throw new UserError({ code: 'unreadable-file', where: path, expected, got, fix: 'check the path' })
  }
}

const GRAPH_FILE = 'a text file with what print(torch.fx.symbolic_trace(module).graph) shows'
const readText = (path: string): string => readBytes(path, GRAPH_FILE).toString('utf8')
const readWeights = (path: string) => readSafetensors(readBytes(path, 'a safetensors file'), path)

export const demo = defineCommand({
  name: 'demo',
  operands: '[graph]',
  summary: 'every program equal to (x + y) * 2.0, or to a torch.fx graph of yours, verified and timed',
  examples: [
    ['', 'on vectors of 1024 elements'],
    ['--length 1000000 --blocks 10', 'on longer vectors, in fewer blocks'],
    ['graph.txt --shape x=64x128', 'for a graph as torch.fx prints it'],
    ['graph.txt --weights model.safetensors', 'for one with parameters'],
  ],
  schemaVersion: 1,
  options: {
    length: countOption('--length <n>', 'elements of each input without a shape', 1024),
    shape: shapesOption('--shape <name=sizes>', 'shape of an input, as NAME=64x128; may be repeated'),
    weights: textOption('--weights <file>', 'parameters of the graph, as safetensors'),
    blocks: countOption('--blocks <n>', 'timed blocks', 30),
  },
  async run({ operands, options, talk }): Promise<Answer> {
    const { demo: runDemo } = await import('../../demo.ts')
    const { seed, length, blocks, shape: shapes } = options
    const text = operands[0] === undefined ? null : readText(operands[0])
    const weights = options.weights === null ? new Map() : readWeights(options.weights)
    const threads = options.threads ?? availableParallelism()
    const result = await withDevices(
      { device: options.device ?? 'cpu', timeLimit: options.timeLimit, signal: talk.signal },
      (oracle, device) => runDemo({ seed, threads, length, shapes, text, weights, blocks, oracle, device }, talk),
    )
    for (const warning of result.warnings) talk.warn(warning)
    const { listing: _, ...data } = result
    return { data, text: describe(result) }
  },
})
