// The same model said in another way: values renamed, nodes in another order, constants in a file of their own, Identity in
// between. The optimiser must end in the same kernels, or in kernels that cost the same.
import { join } from 'node:path'
import { createRandom, type Random } from '../../src/base/random.ts'
import type { Graph, Node, Value, ValueId } from '../../src/ir/graph.ts'
import { type Model, modelOf, readModelFile, writeModelFile } from '../../src/onnx/index.ts'
import { explore } from '../../src/rewrite/explore.ts'
import type { Backend } from '../../src/runtime/index.ts'
import { prepareGraph } from '../../src/search/prepare.ts'
import { type Ranked, rankCandidates } from '../../src/search/rank.ts'
import { makeCandidates } from '../../src/search/variants.ts'
import { roofline } from '../conformance/programs.ts'
import type { Workshop } from './optimise-case.ts'

const LIMITS = { iterationLimit: 12, nodeLimit: 4000, timeLimitMs: 20_000 }
const VARIANTS = { count: 16, seed: 1, timeLimitMs: 8000 }
const SAME_COST = 1e-6

/** Ways to say the same. Each goes through a file in `folder`. */
export const DISGUISES: Readonly<Record<string, (graph: Graph, random: Random) => Graph>> = {
  renamed,
  permuted: (graph, random) => ({ ...graph, nodes: anyOrder(graph, random) }),
  external: (graph) => graph,
  padded,
}

/** What differs between the forms that a graph and a disguise of it are optimised to; null: nothing. */
export async function differenceInDisguise(
  workshop: Workshop,
  graph: Graph,
  disguise: string,
  seed: number,
): Promise<string | null> {
  const difference = await differenceOfForms(
    workshop,
    graph,
    DISGUISES[disguise]!(graph, createRandom(seed)),
    disguise === 'external',
  )
  return difference && `${graph.name}, ${disguise}, seed ${seed}: ${difference}`
}

/** The same for any two graphs. `isExternal`: the constants of the second lie in a file of their own. */
export async function differenceOfForms(
  { backend, folder }: Workshop,
  graph: Graph,
  other: Graph,
  isExternal = false,
): Promise<string | null> {
  const a = await bestForm(backend, filed(graph, folder, false))
  const b = await bestForm(backend, filed(other, folder, isExternal))
  const isSame = a.hash === b.hash || Math.abs(a.predictedMs - b.predictedMs) <= SAME_COST * a.predictedMs
  return isSame ? null : `${b.predictedMs} ms predicted, not ${a.predictedMs} ms`
}

function filed(graph: Graph, folder: string, isExternal: boolean): Model {
  const path = join(folder, 'disguised.onnx')
  writeModelFile(path, modelOf(graph), { force: true, isDurable: false, ...(isExternal && { externalAboveBytes: 0 }) })
  return readModelFile(path)
}

/** What the optimiser predicts to be fastest; the model itself where nothing is faster. */
async function bestForm(backend: Backend, model: Model): Promise<Ranked> {
  const prepared = prepareGraph(model, '')
  const explored = explore(prepared.graph, LIMITS)
  const { candidates: made } = makeCandidates(explored, prepared.graph, roofline, prepared.bindings, VARIANTS)
  const candidates = made.map((candidate, i) => ({ id: `v${i}`, candidate, model: prepared.wrap(candidate.graph) }))
  const { original, variants } = await rankCandidates(backend, roofline, model, candidates, { shapes: prepared.shapes })
  const [best] = variants
  return best && best.predictedMs < original.predictedMs ? best : original
}

/** Names that sort otherwise, of values and nodes. */
function renamed(graph: Graph, random: Random): Graph {
  const numbers = random.shuffle([...graph.values.keys()])
  const values = graph.values.map((v, i): Value => ({ ...v, name: `t${numbers[i]}` }))
  return { ...graph, values, nodes: graph.nodes.map((n, i): Node => ({ ...n, name: `n${graph.nodes.length - i}` })) }
}

/** The nodes in a random topological order. */
function anyOrder({ nodes }: Graph, random: Random): readonly Node[] {
  const made = new Map(nodes.flatMap((n) => n.outputs.map((v) => [v, n] as const)))
  const waiting = new Set(nodes)
  const isReady = (n: Node) => [...n.inputs, ...n.captures].every((v) => !waiting.has(made.get(v)!))
  const order: Node[] = []
  while (waiting.size > 0) {
    const next = random.pick([...waiting].filter(isReady))
    waiting.delete(next)
    order.push(next)
  }
  return order
}

const PADDED_SHARE = 0.4

/** Identity before some of the inputs of nodes. */
function padded(graph: Graph, random: Random): Graph {
  const values: Value[] = [...graph.values]
  const nodes: Node[] = []
  const pad = (v: ValueId | null): ValueId | null => {
    if (v === null || random.next() > PADDED_SHARE) return v
    const id = values.push({ ...graph.values[v]!, name: `pad${values.length}` }) - 1
    nodes.push({
      name: `pad${id}`,
      domain: '',
      op: 'Identity',
      inputs: [v],
      outputs: [id as ValueId],
      attributes: {},
      captures: [],
    })
    return id as ValueId
  }
  for (const n of graph.nodes) {
    const inputs = n.inputs.map(pad)
    nodes.push({ ...n, inputs })
  }
  return { ...graph, values, nodes }
}
