// What a client may know of every e-class: one integer each, interned by the client (a shape, a constant, a set), kept
// up to date by the e-graph. The integers form a join semilattice under `merge`.
import type { EGraph } from './egraph.ts'
import type { ClassId, NodeId, OpId, RuleId } from './ids.ts'

export interface Analysis<P = unknown> {
  /** The data of an e-node from its operator and the data of its (canonical) children. May add nodes. */
  make(egraph: EGraph<P>, op: OpId, children: ArrayLike<number>): number
  /** The data of two classes that became one. Throws a ConflictError where both cannot be true. */
  merge(a: number, b: number): number
  /** Called when a class is made and when its data may have changed. May add, unite and prune. */
  modify?(egraph: EGraph<P>, cls: ClassId): void
}

/** Where an e-graph stood when `merge` found a contradiction. */
export interface ConflictPlace {
  readonly left: ClassId
  readonly right: ClassId
  /** What brought the two together: a union that somebody asked for, congruence, or data recomputed from the children. */
  readonly cause: 'union' | 'congruence' | 'data'
  /** The rule and e-node on whose behalf, -1 where the union was not made within an origin. */
  readonly rule: RuleId | -1
  readonly source: NodeId | -1
}

/**
 * Two facts about one class that exclude each other: some rule is unsound, or its condition too weak. Thrown by the
 * client's `merge`, completed with the place by the e-graph. A union that throws it has changed nothing; after a
 * rebuild that throws it the e-graph is only good for looking at.
 */
export class ConflictError extends Error {
  readonly left: string
  readonly right: string
  place: ConflictPlace | null = null
  constructor(left: string, right: string) {
    super(`one e-class cannot be both ${left} and ${right}`)
    this.name = 'ConflictError'
    this.left = left
    this.right = right
  }
}
