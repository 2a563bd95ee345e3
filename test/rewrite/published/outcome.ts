// What becomes of a published rule: its left side is put into an e-graph and saturated with all rules of the search; then the right side is
// looked for in the class of the left.
import { createRandom } from '../../../src/base/random.ts'
import { roofline } from '../../../src/cost/baselines/roofline.ts'
import { asCostModel } from '../../../src/cost/index.ts'
import type { ClassId, NodeId } from '../../../src/egraph/egraph.ts'
import { evaluateGraph } from '../../../src/ir/evaluate.ts'
import type { Graph } from '../../../src/ir/graph.ts'
import { type ConcreteShape, elementCount } from '../../../src/ir/shape.ts'
import { ndarray } from '../../../src/ir/tensor.ts'
import { type Encoded, encode } from '../../../src/rewrite/encode.ts'
import { type Explored, explore, ruleOfNode } from '../../../src/rewrite/explore.ts'
import { familyOf, payloadKey } from '../../../src/rewrite/tensor-op.ts'
import { makeCandidates } from '../../../src/search/variants.ts'
import { close } from '../support/check-egraph.ts'
import { buildSide, drawWeights, outputShapes, withVectors } from './build.ts'
import { isWeight, type Law, variablesOf } from './notation.ts'
import { drawShapes } from './sizes.ts'

/** How the right side is had. */
export type Outcome =
  /** Both sides are one term in canonical form: no rule is needed. */
  | { readonly kind: 'same' }
  /** The right side is in the class of the left, by these rules. */
  | { readonly kind: 'found'; readonly rules: readonly string[] }
  /** It is not, but the best program found from the left is predicted to cost no more than the best found from the right. */
  | { readonly kind: 'as-cheap' }
  | { readonly kind: 'dearer'; readonly ratio: number }

export interface Setting {
  readonly name: string
  /** Weights are inputs like all others, not constants. */
  readonly computed: boolean
  /** Side of the kernels. */
  readonly kernel: number
}

const SETTINGS: readonly Setting[] = [
  { name: '', computed: false, kernel: 3 },
  { name: '1x1', computed: false, kernel: 1 },
  { name: 'computed', computed: true, kernel: 3 },
]

/** The settings in which a law is tried. */
export function settingsOf(law: Law): readonly Setting[] {
  const hasWeights = variablesOf(law).some(isWeight)
  return SETTINGS.filter((s) => (s.computed ? hasWeights : s.kernel === 3 || law.text.includes('conv')))
}

/** Of the draws of sizes. */
export const SEEDS = [1, 2, 3]
const LIMITS = { iterationLimit: 8, nodeLimit: 4000, timeLimitMs: 60_000 }
const SMALL = [2, 3, 4, 5]
const LARGE = [8, 24, 64]

interface Sides {
  readonly left: Graph
  readonly right: Graph
}

function drawSides(law: Law, setting: Setting, choices: readonly number[], seed: number): Sides {
  const random = createRandom(seed)
  const shapes = withVectors(law, drawShapes(law, random, choices, setting.kernel))
  const weights = drawWeights(shapes, random, setting.computed)
  const left = buildSide(law.left, shapes, weights)
  return { left, right: buildSide(law.right, shapes, weights, outputShapes(left)) }
}

/** True if both sides give the same numbers at sizes drawn from the seed; with `equalSizes`, all free sizes are one. */
export function agrees(law: Law, seed: number, equalSizes = false): boolean {
  const { left, right } = drawSides(law, SETTINGS[0]!, equalSizes ? [4] : SMALL, seed)
  const random = createRandom(seed)
  const feeds = Object.fromEntries(
    left.inputs.map((v) => {
      const { name, type } = left.values[v]!
      const shape = type!.shape as ConcreteShape
      const draw = () => (name === 'V' ? 0.5 + Math.abs(random.normal()) : random.normal())
      return [name, ndarray('float32', shape, Array.from({ length: elementCount(shape) }, draw))]
    }),
  )
  const [a, b] = [evaluateGraph(left, feeds), evaluateGraph(right, feeds)]
  return Object.entries(a).every(([name, array]) => close(array, b[name]!, 1e-5))
}

/** What the search makes of a law: the worst of several draws of sizes. */
export function outcomeOf(law: Law, setting: Setting): Outcome {
  return SEEDS.map((seed) => outcomeAt(drawSides(law, setting, LARGE, seed))).reduce(worse)
}

const ORDER = ['same', 'found', 'as-cheap', 'dearer']

function worse(a: Outcome, b: Outcome): Outcome {
  if (a.kind === 'dearer' && b.kind === 'dearer') return a.ratio > b.ratio ? a : b
  if (a.kind === 'found' && b.kind === 'found') return { ...a, rules: [...new Set([...a.rules, ...b.rules])].sort() }
  return ORDER.indexOf(a.kind) < ORDER.indexOf(b.kind) ? b : a
}

function outcomeAt({ left, right }: Sides): Outcome {
  const before = encode(left)
  if (isSame(before.roots, before, transplant(encode(right), before))) return { kind: 'same' }
  const e = explore(left, LIMITS)
  const nodes = transplant(encode(right), e)
  if (isSame(e.roots, e, nodes)) return { kind: 'found', rules: rulesOf(e, nodes) }
  const ratio = bestMs(explore(left, LIMITS), left) / bestMs(explore(right, LIMITS), right)
  return ratio <= 1.001 ? { kind: 'as-cheap' } : { kind: 'dearer', ratio }
}

/** The e-nodes of a program: of its outputs, and of all that they need. */
interface Transplanted {
  readonly outputs: readonly ClassId[]
  readonly nodes: readonly NodeId[]
}

function isSame(roots: readonly ClassId[], { t }: Encoded, { outputs }: Transplanted): boolean {
  return roots.every((c, i) => t.egraph.find(c) === t.egraph.find(outputs[i]!))
}

/** Looks the encoded program `from` up in another e-graph, adding what is not there. */
function transplant(from: Encoded, { t }: Encoded): Transplanted {
  const made = new Map<ClassId, ClassId>()
  const nodes: NodeId[] = []
  const visit = (c: ClassId): ClassId => {
    const known = made.get(c)
    if (known !== undefined) return known
    const n = from.t.egraph.nodesOf(c)[0]!
    const op = from.t.op(n)
    const children = from.t.children(n).map(visit)
    const there =
      op.kind === 'constant'
        ? t.literal(from.t.constants.array(op.id))
        : op.kind === 'input'
          ? t.input(op.index, op.type)
          : t.rebuild(op, children)!
    made.set(c, there)
    const node = t.egraph.lookupNode(t.operators.intern(familyOf(op), payloadKey(op), op), children)
    if (node >= 0) nodes.push(node as NodeId)
    return there
  }
  const outputs = from.roots.map((c) => visit(from.t.egraph.find(c)))
  t.egraph.rebuild()
  return { outputs, nodes }
}

/** Names of the rules that made the e-nodes. */
function rulesOf(e: Explored, { nodes }: Transplanted): string[] {
  const names = nodes.filter((n) => n < e.phases.searched).map((n) => ruleOfNode(e, n)?.name)
  return [...new Set(names)].filter((name) => name !== undefined).sort()
}

const cost = asCostModel(roofline.fit({ labels: [], facts: [], graphs: [], seed: 0 }))

function bestMs(e: Explored, graph: Graph): number {
  const { candidates } = makeCandidates(e, graph, cost, new Map(), { count: 6, seed: 1, timeLimitMs: 60_000 })
  return Math.min(...candidates.map((c) => c.extractedMs))
}
