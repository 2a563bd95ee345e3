// An e-graph for other tools and for eyes: the JSON of the project egraph-serialize, which existing viewers and extractors
// read, and Graphviz text with one box per class. Big graphs are cut, and the picture says what is missing.
import type { EGraph } from './egraph.ts'
import type { ClassId, NodeId } from './ids.ts'

export interface SerializedNode {
  readonly op: string
  /** Node names; each stands for its whole class. */
  readonly children: readonly string[]
  readonly eclass: string
  readonly cost: number
}

/** The format of egraph-serialize 0.2. */
export interface SerializedEGraph {
  readonly nodes: Readonly<Record<string, SerializedNode>>
  readonly root_eclasses: readonly string[]
  readonly class_data: Readonly<Record<string, { readonly type: string }>>
}

export interface SerializeOptions {
  readonly roots: readonly ClassId[]
  /** By NodeId; default 1 each. Nodes of infinite cost are left out: JSON has no infinity. */
  readonly cost?: Float64Array
  /** A line per class that viewers show. */
  readonly describeClass?: (c: ClassId) => string
}

/** The whole e-graph as egraph-serialize JSON. Nodes are `n<NodeId>`, classes `c<ClassId>`. */
export function serializeEGraph<P>(egraph: EGraph<P>, options: SerializeOptions): SerializedEGraph {
  const { roots, cost, describeClass } = options
  const nodes: Record<string, SerializedNode> = {}
  const classData: Record<string, { type: string }> = {}
  const costOf = (n: NodeId) => cost?.[n] ?? 1
  const members = possibleNodes(egraph, costOf)
  for (const [c, kept] of members) {
    if (describeClass) classData[`c${c}`] = { type: describeClass(c) }
    for (const n of kept) {
      const op = egraph.operators.name(egraph.opOf(n))
      const children = egraph.childrenOf(n).map((child) => `n${members.get(child)![0]}`)
      nodes[`n${n}`] = { op, children, eclass: `c${c}`, cost: costOf(n) }
    }
  }
  return { nodes, root_eclasses: roots.map((c) => `c${egraph.find(c)}`), class_data: classData }
}

/** Nodes of finite cost whose children's classes all have such nodes, by class; classes without any are left out. */
function possibleNodes<P>(egraph: EGraph<P>, costOf: (n: NodeId) => number): Map<ClassId, NodeId[]> {
  const members = new Map<ClassId, NodeId[]>()
  for (const c of egraph.classes())
    members.set(
      c,
      egraph.nodesOf(c).filter((n) => Number.isFinite(costOf(n))),
    )
  for (let changed = true; changed; ) {
    changed = false
    for (const [c, nodes] of members) {
      const kept = nodes.filter((n) => egraph.childrenOf(n).every((child) => members.has(child)))
      if (kept.length === nodes.length && kept.length > 0) continue
      changed = true
      if (kept.length > 0) members.set(c, kept)
      else members.delete(c)
    }
  }
  return members
}

export interface DotOptions {
  readonly roots: readonly ClassId[]
  /** E-nodes drawn at most, nearest to the roots first; default 500. */
  readonly nodeLimit?: number
  /** Nodes to mark, for instance an extraction's choices. */
  readonly chosen?: ReadonlyMap<ClassId, NodeId>
}

/** Graphviz text: a dashed box per class, an edge per child to the child's class. Says so where nodes are left out. */
export function toDot<P>(egraph: EGraph<P>, options: DotOptions): string {
  const { chosen } = options
  const classes = nearestClasses(egraph, options)
  const drawn = new Set(classes)
  const lines = ['digraph egraph {', '  compound=true; rankdir=TB; node [shape=box, style=rounded]']
  for (const c of classes) {
    lines.push(`  subgraph cluster_${c} {`, `    style=dashed; label=${quote(`c${c}`)}`)
    for (const n of egraph.nodesOf(c)) {
      const style = chosen?.get(c) === n ? ', style="rounded,bold"' : ''
      lines.push(`    n${n} [label=${quote(egraph.operators.name(egraph.opOf(n)))}${style}]`)
    }
    lines.push('  }')
  }
  let cutEdges = 0
  for (const c of classes)
    for (const n of egraph.nodesOf(c))
      for (const [i, child] of egraph.childrenOf(n).entries()) {
        const target = drawn.has(child) ? egraph.nodesOf(child)[0] : undefined
        if (target === undefined) cutEdges++
        else lines.push(`  n${n} -> n${target} [lhead=cluster_${child}, label=${quote(String(i))}]`)
      }
  const shown = classes.reduce((sum, c) => sum + egraph.nodesOf(c).length, 0)
  if (shown < egraph.nodeCount) {
    const notice = `cut: ${shown} of ${egraph.nodeCount} e-nodes, ${classes.length} of ${egraph.classCount} e-classes, ${cutEdges} edges not drawn`
    lines.push(`  notice [shape=note, label=${quote(notice)}]`)
  }
  return [...lines, '}', ''].join('\n')
}

/** Classes breadth first from the roots, whole classes only, until the node limit. */
function nearestClasses<P>(egraph: EGraph<P>, { roots, nodeLimit = 500 }: DotOptions): ClassId[] {
  const order: ClassId[] = []
  const seen = new Set<ClassId>(roots.map((c) => egraph.find(c)))
  let nodes = 0
  for (const c of seen) {
    const members = egraph.nodesOf(c)
    nodes += members.length
    if (nodes > nodeLimit && order.length > 0) break
    order.push(c)
    for (const n of members) for (const child of egraph.childrenOf(n)) seen.add(child)
  }
  return order
}

/** A DOT string: quotes and backslashes escaped, control characters dropped, long names shortened. */
function quote(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 77)}...` : text
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is dropped
  return `"${short.replace(/[\u0000-\u001f\u007f]/g, ' ').replace(/["\\]/g, '\\$&')}"`
}
