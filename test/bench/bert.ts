// A graph of BERT's size, written as TorchScript exports it with open dimensions (norms spelled out, sizes computed in the graph;
// about 1,000 nodes): seconds of each phase of `optimize` without measurements, and the peak of its memory.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRandom } from '../../src/base/random.ts'
import { attend, geluTorchScript, layerNormSpelled } from '../../src/dataset/workloads/layers.ts'
import { Net } from '../../src/dataset/workloads/net.ts'
import { drawInputs } from '../../src/dataset/workloads/workload.ts'
import type { Graph, ValueId } from '../../src/ir/graph.ts'
import { modelOf, writeModelFile } from '../../src/onnx/index.ts'
import type { RunRecord } from '../../src/report/index.ts'
import { type Benchmark, printTable } from './benchmark.ts'
import { runOptimize } from './command-line.ts'
import { contextOf, printContext } from './context.ts'
import { parseGainOptions } from './gain-options.ts'
import { withFolder } from './gains.ts'
import { writeInputs } from './input-folder.ts'

export interface BertDims {
  readonly vocabulary: number
  readonly rows: number
  readonly width: number
  readonly heads: number
  readonly layers: number
}

const SIZES: Readonly<Record<string, BertDims>> = {
  small: { vocabulary: 500, rows: 32, width: 96, heads: 4, layers: 2 },
  full: { vocabulary: 30_522, rows: 128, width: 768, heads: 12, layers: 12 },
}

export const bertBenchmark: Benchmark = {
  name: 'bert',
  about: 'seconds and memory of optimize --measure 0 on a graph of 1,000 nodes; --size small|full --seed 0 --json FILE',
  run: (args) => {
    const { size: wanted, threads, seed, json, keep } = parseGainOptions(args)
    const size = wanted ?? 'full'
    const context = contextOf({ size, threads, seed })
    return withFolder(keep, async (folder) => {
      const { modelPath, inputs } = writeBert(folder, size, seed)
      const output = join(folder, 'bert.fast.onnx')
      const settings = ['--measure', '0', '--threads', String(threads), '--seed', String(seed), '--force']
      const run = await runOptimize([modelPath, '-o', output, '--inputs', inputs, ...settings], false)
      if (run.record) printRun(run.record)
      console.log(run.failure === null ? '' : `FAILED: ${run.failure}`)
      console.log(`peak of the process, its workers apart: ${((run.peakBytes ?? Number.NaN) / 1e9).toFixed(2)} GB`)
      printContext(context)
      if (json !== null) writeFileSync(json, `${JSON.stringify({ ...context, ...run }, null, 1)}\n`)
    })
  },
}

/** In a function of its own, so that graph and weights are let go before the measurement. */
function writeBert(folder: string, size: string, seed: number): { modelPath: string; inputs: string } {
  const dims = SIZES[size]
  if (dims === undefined) throw new TypeError(`--size: expected ${Object.keys(SIZES).join(' or ')}, got ${size}`)
  const written = writeBertModel(folder, 'bert', dims, seed)
  console.log(`${written.nodes} nodes, ${dims.layers} layers of width ${dims.width}, ${dims.rows} tokens\n`)
  return written
}

/** The model and inputs for it, on disk. */
export function writeBertModel(folder: string, name: string, dims: BertDims, seed: number) {
  const graph = buildBert(dims, seed)
  const modelPath = join(folder, `${name}.onnx`)
  writeModelFile(modelPath, modelOf(graph), { force: true })
  const feeds = drawInputs(graph, { ids: { kind: 'ids', below: dims.vocabulary } }, createRandom(seed))
  return { nodes: graph.nodes.length, modelPath, inputs: writeInputs(join(folder, `${name}-inputs`), graph, feeds) }
}

function buildBert(d: BertDims, seed: number): Graph {
  const net = new Net('bert', createRandom(seed), 17)
  const tokens = net.gather(net.weight([d.vocabulary, d.width], 1), net.ids('ids', 1, d.rows))
  let x = layerNormSpelled(net, net.add(tokens, net.uniform([d.rows, d.width], -0.5, 0.5)))
  for (let i = 0; i < d.layers; i++) x = bertLayer(net, x, d)
  const first = net.gather(x, net.builder.int64s([0], 'index'), 1)
  net.output(net.linear(net.tanh(net.linear(first, d.width)), 2), 'logits')
  return net.builder.build()
}

function bertLayer(net: Net, x: ValueId, { width, heads }: BertDims): ValueId {
  const split = (y: ValueId) => net.transpose(reshapeRows(net, y, [heads, width / heads]), [0, 2, 1, 3])
  const [q, k, v] = [0, 1, 2].map(() => split(net.linear(x, width)))
  const attended = net.transpose(attend(net, q!, k!, v!), [0, 2, 1, 3])
  const mixed = layerNormSpelled(net, net.add(x, net.linear(reshapeRows(net, attended, [width]), width)))
  const hidden = net.linear(geluTorchScript(net, net.linear(mixed, 4 * width)), width)
  return layerNormSpelled(net, net.add(mixed, hidden))
}

/** `x.view(x.size(0), x.size(1), ...)`, as TorchScript writes it: both sizes are computed. */
function reshapeRows(net: Net, x: ValueId, rest: readonly number[]): ValueId {
  const size = (axis: number) => net.gather(net.op('Shape', x), net.builder.int64s([axis], 'axis'))
  return net.op('Reshape', x, net.concat([size(0), size(1), net.builder.int64s(rest, 'rest')], 0))
}

function printRun({
  seconds,
  saturation,
  verdict,
  predictedSpeedup,
  distinctAfterLowering,
  verified,
}: RunRecord): void {
  printTable(
    ['phase', 's'],
    Object.entries(seconds).map(([phase, s]) => [phase, s.toFixed(2)]),
  )
  const { eNodes, eClasses, iterations, stopReason } = saturation
  console.log(
    `\nsaturation: ${eNodes} e-nodes, ${eClasses} e-classes, ${iterations} iterations, stopped: ${stopReason}`,
  )
  console.log(`${distinctAfterLowering} programs distinct once lowered; verified: ${verified?.passed ?? 'nothing'}`)
  const gain = predictedSpeedup === null ? verdict.reason : `predicted ${predictedSpeedup.toFixed(3)}x as fast`
  console.log(`${verdict.kind}: ${gain}`)
}
