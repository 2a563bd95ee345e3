// `inspect`: what is in a model. Reads, infers, counts; runs nothing.
import { geometryOf } from '../../cost/geometry.ts'
import type { Kernel } from '../../cost/kernel.ts'
import { workOf } from '../../cost/work.ts'
import { bindShapes, openDims } from '../../ir/bind.ts'
import { type Graph, type Node, qualifiedName, type ValueId } from '../../ir/graph.ts'
import { findOp } from '../../ir/ops/index.ts'
import { elementCount, shapeText } from '../../ir/shape.ts'
import { tensorBytes } from '../../ir/tensor.ts'
import { type Model, readModelFile } from '../../onnx/index.ts'
import { lowerGraph } from '../../runtime/kernel-table.ts'
import { chooseCostModel } from '../../search/shipped-model.ts'
import { type Answer, defineCommand } from '../command.ts'
import { shapeOption, switchOption } from '../option.ts'
import { shortBytes, shortNumber, table } from '../table.ts'

interface NodeRow {
  readonly name: string
  readonly op: string
  readonly output: string
  readonly flops: number | null
  readonly bytes: number | null
  /** What the shipped cost model says of the node as it is written; the runtime will fuse some. */
  readonly predictedMs: number | null
  readonly opaque: boolean
}
interface OpRow {
  readonly op: string
  readonly count: number
  readonly flops: number | null
  readonly bytes: number | null
  readonly opaque: boolean
}

const typeText = (graph: Graph, v: ValueId): string => {
  const type = graph.values[v]!.type
  return type ? `${type.dtype}${shapeText(type.shape)}` : 'unknown'
}
const port = (graph: Graph, v: ValueId) => ({ name: graph.values[v]!.name, type: typeText(graph, v) })

/** A node that rules never look into: no record of its operator, or subgraphs inside. */
function isOpaque(node: Node): boolean {
  return findOp(node.domain, node.op) === null || Object.values(node.attributes).some((a) => a.kind === 'opaque')
}

function nodeRows(graph: Graph): NodeRow[] {
  const { kernels } = lowerGraph(graph, new Map())
  const predicted = predictedMs(kernels)
  return graph.nodes.map((node, i) => {
    const kernel = kernels[i] ?? null
    const opaque = isOpaque(node)
    const work = kernel && !opaque ? workOf(kernel, geometryOf(kernel)) : null
    const first = node.outputs.find((v) => v !== null)
    return {
      name: node.name,
      op: qualifiedName(node.domain, node.op),
      output: first === undefined || first === null ? '' : typeText(graph, first),
      flops: work ? work.flops : null,
      bytes: work ? work.bytesRead + work.bytesWritten : null,
      predictedMs: predicted[i] ?? null,
      opaque,
    }
  })
}

/** Predicted milliseconds of each kernel on one CPU thread, null where its shapes are open. */
function predictedMs(kernels: readonly (Kernel | null)[]): readonly (number | null)[] {
  const { model } = chooseCostModel(null, 'cpu', '')
  const prices = model.price(kernels.filter((k) => k !== null))
  let next = 0
  return kernels.map((k) => (k === null ? null : prices[next++]! / 1000))
}

/** Sum, or null when a part is unknown. */
function sum(parts: readonly (number | null)[]): number | null {
  return parts.reduce((total, x) => (total === null || x === null ? null : total + x), 0)
}

function opRows(nodes: readonly NodeRow[]): OpRow[] {
  const groups = new Map<string, NodeRow[]>()
  for (const row of nodes) {
    const group = groups.get(row.op)
    if (group) group.push(row)
    else groups.set(row.op, [row])
  }
  const rows = [...groups].map(([op, group]) => ({
    op,
    count: group.length,
    flops: sum(group.map((r) => r.flops)),
    bytes: sum(group.map((r) => r.bytes)),
    opaque: group.some((r) => r.opaque),
  }))
  return rows.sort((a, b) => b.count - a.count || (a.op < b.op ? -1 : 1))
}

function inspectModel(path: string, model: Model, graph: Graph) {
  const rows = nodeRows(graph)
  const weights = [...graph.initializers.values()]
  return {
    input: path,
    irVersion: model.envelope.irVersion,
    producer: model.envelope.producer,
    opsets: Object.fromEntries(graph.opsets),
    inputs: graph.inputs.filter((v) => !graph.initializers.has(v)).map((v) => port(graph, v)),
    outputs: graph.outputs.map((v) => port(graph, v)),
    openDimensions: openDims(graph),
    nodes: rows.length,
    ops: opRows(rows),
    opaque: rows.filter((r) => r.opaque).map((r) => ({ name: r.name, op: r.op })),
    parameters: weights.reduce((n, t) => n + elementCount(t.shape), 0),
    parameterBytes: weights.reduce((n, t) => n + tensorBytes(t), 0),
    flops: sum(rows.map((r) => r.flops)),
    bytes: sum(rows.map((r) => r.bytes)),
    predictedMs: sum(rows.map((r) => r.predictedMs)),
    perNode: rows,
  }
}
type Inspection = ReturnType<typeof inspectModel>

function describe(r: Inspection, perNode: boolean): string {
  const ports = (list: Inspection['inputs']) => list.map((p) => `${p.name}: ${p.type}`).join(', ')
  const opsets = Object.entries(r.opsets).map(([domain, version]) => `${domain || 'onnx'} ${version}`)
  const lines = [
    `${r.input}: ${r.nodes} nodes, ${shortNumber(r.parameters)} parameters (${shortBytes(r.parameterBytes)})`,
    `  opsets   ${opsets.join(', ')}; IR version ${r.irVersion}${r.producer ? `; made by ${r.producer}` : ''}`,
    `  inputs   ${ports(r.inputs)}`,
    `  outputs  ${ports(r.outputs)}`,
    `  work     ${r.flops === null ? unknownWork(r) : `${shortNumber(r.flops)}flop, ${shortBytes(r.bytes)} moved`}`,
    `  opaque   ${r.opaque.length === 0 ? 'none' : `${r.opaque.length} nodes that no rule looks into`}`,
    '',
    perNode
      ? table(
          ['node', 'op', 'output', 'flop', 'bytes', 'predicted ms'],
          r.perNode.map((n) => [
            n.name,
            n.op,
            n.output,
            shortNumber(n.flops),
            shortNumber(n.bytes),
            n.predictedMs?.toFixed(4) ?? '?',
          ]),
        )
      : table(
          ['op', 'count', 'flop', 'bytes', ''],
          r.ops.map((o) => [
            o.op,
            String(o.count),
            shortNumber(o.flops),
            shortNumber(o.bytes),
            o.opaque ? 'opaque' : '',
          ]),
        ),
  ]
  return lines.join('\n')
}

function unknownWork(r: Inspection): string {
  if (r.openDimensions.length === 0) return 'unknown: some nodes are opaque or of unknown shape'
  return `unknown while ${r.openDimensions.join(', ')} ${r.openDimensions.length === 1 ? 'is' : 'are'} open (--shape NAME=1x3x224x224)`
}

export const inspect = defineCommand({
  name: 'inspect',
  operands: '<model>',
  summary: 'what is in a model: operators, shapes, flops, bytes, opaque parts',
  examples: [
    ['model.onnx', 'operators and sizes'],
    ['model.onnx --shape x=1x3x48x320 --nodes', 'every node, with the work it does at this input shape'],
    ["model.onnx --json | jq '.ops'", 'the same for programs'],
  ],
  schemaVersion: 1,
  options: { shape: shapeOption, nodes: switchOption('--nodes', 'list every node instead of operators') },
  async run({ operands, options }): Promise<Answer> {
    const path = operands[0]!
    const model = readModelFile(path)
    const graph = options.shape.size > 0 ? bindShapes(model.graph, options.shape) : model.graph
    const inspection = inspectModel(path, model, graph)
    return { data: inspection, text: describe(inspection, options.nodes) }
  },
})
