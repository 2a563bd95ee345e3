// A rewrite rule, in two kinds. A node rewrite is a function of one e-node: it may look as deep as it declares, builds
// what equals the node, and returns the classes of that. A pattern rewrite is two patterns (pattern-rewrite.ts).
import type { EGraph } from './egraph.ts'
import type { ClassId, NodeId } from './ids.ts'
import type { PatternRewrite } from './pattern-rewrite.ts'
import type { Refusal } from './refusal.ts'

export type { PatternRewrite } from './pattern-rewrite.ts'
export type { Refusal } from './refusal.ts'

export interface NodeRewrite<P = unknown> {
  readonly kind: 'node'
  readonly name: string
  /** The rule is shown the nodes of these families only. */
  readonly families: readonly string[] | 'all'
  /**
   * How far below the node the rule looks: 1 the node and the data of its children, 2 (the default) also the nodes in
   * its children's classes and their children's data, and so on; Infinity if it looks elsewhere, upwards for one. A
   * node is skipped while nothing changed within that depth.
   */
  readonly depth?: number
  /** Classes that equal the node's own, or reasons why there are none. May add nodes; leaves `union` to the driver. */
  apply(egraph: EGraph<P>, node: NodeId): Iterable<ClassId | Refusal>
}

export type Rewrite<P = unknown> = NodeRewrite<P> | PatternRewrite<P>
