// How a chosen program came about: the rule applications that made its e-nodes, and those that made what they were applied to,
// oldest first. Each step names two e-nodes of one class, before and after, so it can be checked by evaluating both.
import type { ClassId, NodeId } from '../egraph/egraph.ts'
import { getText } from '../ir/attribute.ts'
import { shapeText } from '../ir/shape.ts'
import type { ConstantId } from './constants.ts'
import { type Explored, sourcesOf } from './explore.ts'
import { familyOf, type OnnxOp, payloadKey } from './tensor-op.ts'

export interface Step {
  readonly rule: string
  readonly law: string
  /** The value that was rewritten: its name in the original graph, or its e-class. */
  readonly where: string
  readonly before: string
  readonly after: string
  /** The e-nodes that are these. */
  readonly nodes: readonly [before: NodeId, after: NodeId]
}

/** The steps behind the chosen e-nodes. `names`: names of classes that are values of the original graph. */
export function derivationOf(e: Explored, chosen: readonly NodeId[], names: ReadonlyMap<ClassId, string>): Step[] {
  const applications = new Map<string, { readonly at: NodeId; readonly made: NodeId }>()
  const queue = [...chosen]
  const seen = new Set<NodeId>(queue)
  for (let n = queue.pop(); n !== undefined; n = queue.pop()) {
    // A constant is a number, whoever was the first to compute it; the rule may have been refused thereafter.
    if (e.t.op(n).kind === 'constant') continue
    const sources = sourcesOf(e, n)
    const [source] = sources
    const isRewrite = n >= e.phases.encoded && n < e.phases.searched
    const key = `${e.t.egraph.originRule(n)}@${source}`
    if (source !== undefined && isRewrite && !applications.has(key)) applications.set(key, { at: source, made: n })
    for (const m of sources) {
      if (seen.has(m)) continue
      seen.add(m)
      queue.push(m)
    }
  }
  return [...applications.values()].sort((a, b) => a.made - b.made).map(({ at, made }) => toStep(e, at, made, names))
}

function toStep(e: Explored, at: NodeId, made: NodeId, names: ReadonlyMap<ClassId, string>): Step {
  const { egraph } = e.t
  const rule = e.rules[egraph.originRule(made)]!
  const c = egraph.classOf(at)
  const result = egraph.classOf(made) === c ? made : resultOf(e, at, made)
  const where = names.get(c) ?? `e-class ${c}`
  return {
    rule: rule.name,
    law: rule.law,
    where,
    before: nodeText(e, at, names, 2),
    after: nodeText(e, result, names, 2),
    nodes: [at, result],
  }
}

/** The e-node that the application put into the rewritten class; the made one where it only built a part. */
function resultOf(e: Explored, at: NodeId, made: NodeId): NodeId {
  const { egraph } = e.t
  const same = (n: NodeId) => egraph.originSource(n) === at && egraph.originRule(n) === egraph.originRule(made)
  return egraph.nodesOf(egraph.classOf(at)).find(same) ?? made
}

/** `Mul(conv_out, 0.5[1,16,1,1])`: an e-node with its children by name, or written out to `depth`. */
export function nodeText(e: Explored, n: NodeId, names: ReadonlyMap<ClassId, string>, depth: number): string {
  const op = e.t.op(n)
  if (op.kind === 'constant') return constantText(e, op.id)
  const key = op.kind === 'onnx' ? resizeText(op) : op.kind === 'input' ? '' : `{${payloadKey(op)}}`
  const children = e.t.children(n).map((c) => classText(e, c, names, depth - 1))
  return `${familyOf(op)}${key}(${children.join(', ')})`
}

/** Of a Resize, by which coordinates it interpolates how: `{nearest, half_pixel, round_prefer_floor}`. */
function resizeText({ op, attributes }: OnnxOp): string {
  if (op !== 'Resize') return ''
  const mode = getText(attributes, 'mode', 'nearest')
  const coordinates = getText(attributes, 'coordinate_transformation_mode', 'half_pixel')
  const rounding = mode === 'nearest' ? `, ${getText(attributes, 'nearest_mode', 'round_prefer_floor')}` : ''
  return `{${mode}, ${coordinates}${rounding}}`
}

function classText(e: Explored, c: ClassId, names: ReadonlyMap<ClassId, string>, depth: number): string {
  const { egraph } = e.t
  const name = names.get(egraph.find(c))
  if (e.t.isConstant(c)) return constantText(e, e.t.constantOf(c)!)
  if (name !== undefined) return name
  const oldest = egraph.nodesOf(c).reduce((a, b) => (b < a ? b : a))
  return depth > 0 ? nodeText(e, oldest, names, depth) : `e-class ${egraph.find(c)}`
}

/** `flushed`: the rule of that name is about nothing else. */
function constantText({ t }: Explored, id: ConstantId): string {
  const recipe = t.constants.recipe(id)
  const isFlushed = recipe.kind === 'derived' && recipe.op === 'flush'
  return `${isFlushed ? 'flushed' : 'constant'}${shapeText(t.constants.shape(id))}`
}

/** Names of the original graph's values, by the class that holds them; the first one counts. */
export function classNames(e: Explored, valueName: (v: number) => string): ReadonlyMap<ClassId, string> {
  const names = new Map<ClassId, string>()
  for (const [v, c] of e.classes) {
    const at = e.t.egraph.find(c)
    if (!names.has(at)) names.set(at, valueName(v))
  }
  return names
}
