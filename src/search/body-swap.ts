// Nodes with other bodies, put into any program of the same graph. The search carries such nodes as they came, so they are known by
// their attributes; equal nodes may have become one there.
import { type Attributes, attributesKey } from '../ir/attribute.ts'
import { type Graph, type Node, qualifiedName } from '../ir/graph.ts'
import { shapeText } from '../ir/shape.ts'
import { withoutUnread } from '../onnx/index.ts'
import { withoutUnreadConstants } from './body-graph.ts'

interface Change {
  /** With other bodies; null: as it is. */
  readonly node: Node | null
  readonly beforeMs: number
  readonly afterMs: number
}

export class NodeChanges {
  beforeMs = 0
  afterMs = 0
  isAny = false
  private readonly keys = new Map<Node, string>()
  private readonly changes = new Map<string, Change>()
  private readonly byAttributes = new Map<Attributes, Node>()
  private readonly ambiguous: ReadonlySet<string>

  constructor(outer: Graph) {
    const fed = new Map<string, string>()
    const ambiguous = new Set<string>()
    for (const node of outer.nodes.filter(hasBodies)) {
      const key = keyOf(node, outer)
      const types = node.inputs.map((v) => typeText(outer, v)).join()
      if ((fed.get(key) ?? types) !== types) ambiguous.add(key)
      fed.set(key, types)
      this.keys.set(node, key)
    }
    this.ambiguous = ambiguous
  }

  /** True where equal nodes are fed with different types: what holds for the bodies of one need not hold for the other's. */
  isAmbiguous(node: Node): boolean {
    return this.ambiguous.has(this.keys.get(node)!)
  }

  /** True where an equal node was changed before. */
  known(node: Node): boolean {
    return this.changes.has(this.keys.get(node)!)
  }

  add(node: Node, changed: Node | null, beforeMs: number, afterMs: number): void {
    this.changes.set(this.keys.get(node)!, { node: changed, beforeMs, afterMs })
    this.again(node)
  }

  /** Changes a node as an equal one was. */
  again(node: Node): void {
    const change = this.changes.get(this.keys.get(node)!)!
    this.beforeMs += change.beforeMs
    this.afterMs += change.afterMs
    if (change.node === null) return
    this.isAny = true
    this.byAttributes.set(node.attributes, change.node)
  }

  /** A program of the graph with the changed bodies, without what only the original ones read. */
  apply(program: Graph): Graph {
    if (!this.isAny) return program
    const nodes = program.nodes.map((node) => {
      const changed = this.byAttributes.get(node.attributes)
      return changed ? withoutUnread({ ...node, attributes: changed.attributes }, program) : node
    })
    return withoutUnreadConstants({ ...program, nodes })
  }
}

const hasBodies = (node: Node): boolean => Object.values(node.attributes).some((a) => a.kind === 'opaque')

function keyOf(node: Node, outer: Graph): string {
  const captures = node.captures.map((v) => outer.values[v]!.name).join()
  return `${qualifiedName(node.domain, node.op)}(${captures})${attributesKey(node.attributes)}`
}

function typeText(graph: Graph, v: Node['inputs'][number]): string {
  const type = v === null ? null : graph.values[v]!.type
  return type ? `${type.dtype}${shapeText(type.shape)}` : '?'
}
