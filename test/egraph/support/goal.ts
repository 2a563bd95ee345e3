// Is a term, with variables perhaps, in a class? By trying, without the matcher under test.
import type { EGraph } from '../../../src/egraph/egraph.ts'
import type { Pattern } from '../../../src/egraph/pattern.ts'

export interface Proof {
  readonly start: string
  readonly goals: readonly string[]
  /** Added before the start. */
  readonly first?: string
  readonly mustFail?: true
}

/** True if some binding of the pattern's variables puts it into the class. */
export function contains<P>(g: EGraph<P>, c: number, pattern: Pattern): boolean {
  return bindings(g, g.find(c), pattern, new Map()).next().done !== true
}

function* bindings<P>(
  g: EGraph<P>,
  c: number,
  pattern: Pattern,
  bound: ReadonlyMap<string, number>,
): Generator<ReadonlyMap<string, number>> {
  if (pattern.kind === 'variable') {
    const known = bound.get(pattern.name)
    if (known === undefined) yield new Map(bound).set(pattern.name, c)
    else if (known === c) yield bound
    return
  }
  for (const n of g.nodesOf(c)) {
    const children = g.childrenOf(n)
    if (g.opOf(n) !== pattern.op || children.length !== pattern.children.length) continue
    yield* all(g, children, pattern.children, 0, bound)
  }
}

function* all<P>(
  g: EGraph<P>,
  classes: readonly number[],
  patterns: readonly Pattern[],
  at: number,
  bound: ReadonlyMap<string, number>,
): Generator<ReadonlyMap<string, number>> {
  if (at === patterns.length) {
    yield bound
    return
  }
  for (const next of bindings(g, classes[at]!, patterns[at]!, bound)) yield* all(g, classes, patterns, at + 1, next)
}
