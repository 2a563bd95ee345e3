// Contradictions in the analysis data of a class.
import type { ClassId, NodeId, RuleId } from './ids.ts'

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

/** Calls `merge`; a ConflictError that it throws learns its place. */
export function mergeAt(merge: () => number, place: () => ConflictPlace): number {
  try {
    return merge()
  } catch (error) {
    if (error instanceof ConflictError) error.place ??= place()
    throw error
  }
}
