// Extraction as a problem on arrays: from every class that is needed choose one e-node, so that the roots are there, the
// children of the chosen nodes are there, nothing depends on itself, and the sum of the chosen nodes' costs (each class
// once: DAG cost) is small. Classes and nodes are renumbered densely: a class's nodes are neighbours.
import { InvariantError } from '../../base/errors.ts'
import type { EGraph } from '../egraph.ts'
import type { ClassId, NodeId } from '../ids.ts'

/** Only what can be part of an answer: nodes of finite cost that are on some acyclic choice and reachable from the roots. */
export interface Problem {
  readonly classCount: number
  readonly nodeCount: number
  /** Classes that must be there, each once. */
  readonly roots: Int32Array
  /** Cost of each node, finite and not negative. */
  readonly cost: Float64Array
  readonly classOfNode: Int32Array
  /** Class c has the nodes firstNode[c] .. firstNode[c + 1] - 1. */
  readonly firstNode: Int32Array
  /** Node n has the child classes children[firstChild[n]] .. children[firstChild[n + 1] - 1], repetitions included. */
  readonly firstChild: Int32Array
  readonly children: Int32Array
  /** The other way round: the nodes that have class c as a child, once per occurrence. */
  readonly firstUse: Int32Array
  readonly uses: Int32Array
  /** Names of the classes and nodes where they came from (for an e-graph: ClassId, NodeId). */
  readonly classNames: Int32Array
  readonly nodeNames: Int32Array
}

/** E-nodes as lists, before anything is left out. Classes and nodes are dense numbers. */
export interface RawProblem {
  readonly classCount: number
  readonly classOfNode: ArrayLike<number>
  readonly cost: ArrayLike<number>
  readonly children: readonly ArrayLike<number>[]
  readonly roots: ArrayLike<number>
  readonly classNames?: ArrayLike<number>
  readonly nodeNames?: ArrayLike<number>
}

/** The extraction problem of an e-graph. `cost` by NodeId, +Infinity: forbidden. Throws if a root has no finite choice. */
export function createProblem<P>(egraph: EGraph<P>, cost: Float64Array, roots: readonly (ClassId | number)[]): Problem {
  const rank = new Map<number, number>()
  const classNames: number[] = []
  const nodeNames: number[] = []
  const classOfNode: number[] = []
  const children: number[][] = []
  const rankOf = (c: number): number => {
    const known = rank.get(c)
    if (known !== undefined) return known
    rank.set(c, classNames.length)
    classNames.push(c)
    return classNames.length - 1
  }
  const rootRanks = roots.map((c) => rankOf(egraph.find(c)))
  for (let c = 0; c < classNames.length; c++)
    for (const n of egraph.nodesOf(classNames[c]!)) {
      if (cost[n] === Number.POSITIVE_INFINITY) continue
      nodeNames.push(n)
      classOfNode.push(c)
      children.push(egraph.childrenOf(n).map(rankOf))
    }
  const costs = nodeNames.map((n) => cost[n] ?? Number.NaN)
  return compact({
    classCount: classNames.length,
    classOfNode,
    cost: costs,
    children,
    roots: rootRanks,
    classNames,
    nodeNames,
  })
}

/** Leaves out what cannot be part of an answer and lays the rest out in rows. */
export function compact(raw: RawProblem): Problem {
  checkCosts(raw.cost)
  const usable = usableNodes(raw)
  const hasNode = new Uint8Array(raw.classCount)
  for (const n of usable) hasNode[raw.classOfNode[n]!] = 1
  const roots = [...new Set(Array.from(raw.roots))]
  const lost = roots.find((c) => hasNode[c] === 0)
  if (lost !== undefined)
    throw new InvariantError(`no acyclic choice of finite cost for e-class ${raw.classNames?.[lost] ?? lost}`)
  return layOut(raw, usable, roots)
}

/** The class's name and node's name of every choice that the roots need, as an e-graph's client wants them. */
export function namedChoices(problem: Problem, chosen: Int32Array): Map<ClassId, NodeId> {
  const out = new Map<ClassId, NodeId>()
  for (let c = 0; c < chosen.length; c++)
    if (chosen[c]! >= 0) out.set(problem.classNames[c] as ClassId, problem.nodeNames[chosen[c]!] as NodeId)
  return out
}

function checkCosts(cost: ArrayLike<number>): void {
  for (let n = 0; n < cost.length; n++)
    if (!(cost[n]! >= 0))
      throw new InvariantError(`cost of e-node ${n} is ${cost[n]}; extraction needs costs of at least 0`)
}

/** Nodes of finite cost that some acyclic choice can contain: all their children can be had without them. */
function usableNodes(raw: RawProblem): number[] {
  const nodes = raw.children.length
  const waiting = new Int32Array(nodes)
  const users: number[][] = Array.from({ length: raw.classCount }, () => [])
  const done = new Uint8Array(raw.classCount)
  const queue: number[] = []
  const allowed = (n: number) => raw.cost[n] !== Number.POSITIVE_INFINITY
  for (let n = 0; n < nodes; n++) {
    const { length } = raw.children[n]!
    waiting[n] = length
    for (let i = 0; i < length; i++) users[raw.children[n]![i]!]!.push(n)
    if (length === 0 && allowed(n)) queue.push(n)
  }
  for (let n = queue.pop(); n !== undefined; n = queue.pop()) {
    const c = raw.classOfNode[n]!
    if (done[c] === 1) continue
    done[c] = 1
    for (const user of users[c]!) if (--waiting[user]! === 0 && allowed(user)) queue.push(user)
  }
  const usable: number[] = []
  for (let n = 0; n < nodes; n++)
    if (waiting[n] === 0 && allowed(n) && !Array.from(raw.children[n]!).includes(raw.classOfNode[n]!)) usable.push(n)
  return usable
}

function layOut(raw: RawProblem, usable: readonly number[], roots: readonly number[]): Problem {
  const nodesOfClass: number[][] = Array.from({ length: raw.classCount }, () => [])
  for (const n of usable) nodesOfClass[raw.classOfNode[n]!]!.push(n)
  const { order, rank } = reachable(raw, nodesOfClass, roots)
  const nodes = order.flatMap((c) => nodesOfClass[c]!)
  const children = nodes.flatMap((n) => Array.from(raw.children[n]!, (c) => rank[c]!))
  const classOfNode = Int32Array.from(nodes, (n) => rank[raw.classOfNode[n]!]!)
  const firstNode = offsets(order.map((c) => nodesOfClass[c]!.length))
  const firstChild = offsets(nodes.map((n) => raw.children[n]!.length))
  return {
    classCount: order.length,
    nodeCount: nodes.length,
    roots: Int32Array.from(roots, (c) => rank[c]!),
    cost: Float64Array.from(nodes, (n) => raw.cost[n]!),
    classOfNode,
    firstNode,
    firstChild,
    children: Int32Array.from(children),
    ...transpose(order.length, firstChild, children),
    classNames: Int32Array.from(order, (c) => raw.classNames?.[c] ?? c),
    nodeNames: Int32Array.from(nodes, (n) => raw.nodeNames?.[n] ?? n),
  }
}

function reachable(raw: RawProblem, nodesOfClass: readonly number[][], roots: readonly number[]) {
  const rank = new Int32Array(raw.classCount).fill(-1)
  const order: number[] = []
  const visit = (c: number) => {
    if (rank[c]! >= 0) return
    rank[c] = order.length
    order.push(c)
  }
  roots.forEach(visit)
  for (let at = 0; at < order.length; at++)
    for (const n of nodesOfClass[order[at]!]!)
      for (let i = 0; i < raw.children[n]!.length; i++) visit(raw.children[n]![i]!)
  return { order, rank }
}

function offsets(lengths: readonly number[]): Int32Array {
  const out = new Int32Array(lengths.length + 1)
  for (let i = 0; i < lengths.length; i++) out[i + 1] = out[i]! + lengths[i]!
  return out
}

function transpose(classCount: number, firstChild: Int32Array, children: readonly number[]) {
  const firstUse = new Int32Array(classCount + 1)
  for (const c of children) firstUse[c + 1]!++
  for (let c = 0; c < classCount; c++) firstUse[c + 1]! += firstUse[c]!
  const next = firstUse.slice()
  const uses = new Int32Array(children.length)
  for (let n = 0; n + 1 < firstChild.length; n++)
    for (let k = firstChild[n]!; k < firstChild[n + 1]!; k++) uses[next[children[k]!]!++] = n
  return { firstUse, uses }
}
