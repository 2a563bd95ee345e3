// Pattern rewrites inside `saturate`: search fills a flat buffer of matches, apply builds the right sides and unites.
import type { EGraph } from './egraph.ts'
import type { ClassId } from './ids.ts'
import { createMatcher, MatchBuffer, type Matcher, type MatcherKind, rowsForQuery } from './match.ts'
import type { OperatorIndex } from './operator-index.ts'
import type { Pattern } from './pattern.ts'
import type { Bindings, PatternRewrite } from './pattern-rewrite.ts'
import type { Query } from './query.ts'
import { type Gate, RuleCounters, type Runner } from './runner.ts'

/** Builds a term over the match at `at` and returns its class. */
type Builder<P> = (egraph: EGraph<P>, data: Int32Array, at: number) => number

interface Equation<P> {
  /** Where the match holds the class to unite with: 0 (the first node) or 1 + slot. */
  readonly offset: number
  readonly build: Builder<P>
}

export class PatternRunner<P> implements Runner {
  readonly counters: RuleCounters
  private readonly egraph: EGraph<P>
  private readonly rule: PatternRewrite<P>
  private readonly ruleId: number
  private readonly index: OperatorIndex
  private readonly rowSlots: readonly number[]
  private readonly matcher: Matcher
  private readonly buffer: MatchBuffer
  private readonly equations: readonly Equation<P>[]
  private readonly bindings: BufferBindings<P>
  /** Everything found in this generation or earlier has been applied; -1: nothing. */
  private appliedSince = -1
  private searchedIn = 0
  /** The classes of the query's ground terms at the last search, -1 where a term was not there. */
  private grounds: Int32Array = new Int32Array()

  constructor(egraph: EGraph<P>, rule: PatternRewrite<P>, ruleId: number, index: OperatorIndex, kind: MatcherKind) {
    this.egraph = egraph
    this.rule = rule
    this.ruleId = ruleId
    this.index = index
    this.counters = new RuleCounters(rule.name)
    this.rowSlots = index.demand(rule.query)
    this.buffer = new MatchBuffer(rule.query)
    this.matcher = createMatcher(rule.query, kind)
    this.bindings = new BufferBindings(egraph, rule.query, this.buffer)
    this.equations = this.createEquations(kind)
  }

  search(allowance: number): number {
    const { egraph, rule, index, buffer } = this
    this.searchedIn = egraph.generation
    const grounds = lookupGrounds(egraph, rule.query)
    if (grounds.some((c, i) => c !== this.grounds[i])) this.appliedSince = -1 // old rows may match now
    this.grounds = grounds
    const since = this.isMonotone() ? this.appliedSince : -1
    const found = findMatches(egraph, rule.query, this.matcher, index, this.rowSlots, buffer, allowance, since)
    if (found <= allowance) this.counters.matches += found
    return found
  }

  drop(): void {
    this.buffer.length = 0
  }

  /** Newest first: on growing e-graphs this makes fewer nodes that soon merge away. */
  apply(open: Gate): boolean {
    const { egraph, buffer, counters } = this
    const before = egraph.idLimit
    let m = buffer.length - 1
    try {
      for (; m >= 0 && open(); m--) {
        const at = m * buffer.width
        egraph.setOrigin(this.ruleId, buffer.data[at]!)
        if (this.holds(at) && this.applyAt(at)) counters.applied++
      }
    } finally {
      egraph.setOrigin(-1, -1)
    }
    counters.made += egraph.idLimit - before
    if (m < 0) this.appliedSince = this.searchedIn
    buffer.length = 0
    return true
  }

  /** What such a rule once added and united stays so; a condition may turn true without any row changing. */
  private isMonotone(): boolean {
    return this.rule.condition === null && this.rule.right.kind === 'patterns'
  }

  private holds(at: number): boolean {
    const { condition } = this.rule
    if (condition === null) return true
    this.bindings.at = at
    const verdict = condition(this.egraph, this.bindings)
    if (typeof verdict === 'object') this.counters.refuse(verdict.refused)
    return verdict === true
  }

  private applyAt(at: number): boolean {
    const { egraph, rule, buffer, equations } = this
    if (rule.right.kind === 'function') {
      this.bindings.at = at
      const built = rule.right.build(egraph, this.bindings)
      if (typeof built !== 'object') return egraph.union(buffer.data[at]!, built)
      this.counters.refuse(built.refused)
      return false
    }
    let changed = false
    for (let i = 0; i < equations.length; i++) {
      const { offset, build } = equations[i]!
      if (egraph.union(buffer.data[at + offset]!, build(egraph, buffer.data, at))) changed = true
    }
    return changed
  }

  private createEquations(kind: MatcherKind): Equation<P>[] {
    const { right, query } = this.rule
    if (right.kind === 'function') return []
    return right.equals.map(({ root, pattern }) => ({
      offset: root === null ? 0 : 1 + query.slotOf.get(root)!,
      build: kind === 'generated' ? generateBuilder<P>(pattern, query) : interpretBuilder<P>(pattern, query),
    }))
  }
}

/** Runs the matcher on the e-graph as the index sees it; a ground term that is not there means no match. */
export function findMatches<P>(
  egraph: EGraph<P>,
  query: Query,
  matcher: Matcher,
  index: OperatorIndex,
  rowSlots: readonly number[],
  buffer: MatchBuffer,
  limit: number,
  since = -1,
): number {
  if (query.isVariable) return everyClass(egraph, buffer, limit)
  index.build(egraph)
  const grounds = lookupGrounds(egraph, query)
  buffer.length = 0
  if (grounds.includes(-1)) return 0
  return matcher(rowsForQuery(index, rowSlots), grounds, buffer, limit, since)
}

function everyClass<P>(egraph: EGraph<P>, buffer: MatchBuffer, limit: number): number {
  let count = 0
  for (const c of egraph.classes()) {
    if ((count + 1) * buffer.width > buffer.data.length) buffer.grow()
    buffer.data.fill(c, count * buffer.width, (count + 1) * buffer.width)
    if (++count > limit) break
  }
  buffer.length = count
  return count
}

function lookupGrounds<P>(egraph: EGraph<P>, query: Query): Int32Array {
  return Int32Array.from(query.grounds, (term) => lookupGround(egraph, term))
}

function lookupGround<P>(egraph: EGraph<P>, term: Pattern): ClassId | -1 {
  if (term.kind === 'variable') return -1
  const children = term.children.map((child) => lookupGround(egraph, child))
  return children.includes(-1) ? -1 : egraph.lookup(term.op, children)
}

class BufferBindings<P> implements Bindings {
  at = 0
  private readonly egraph: EGraph<P>
  private readonly query: Query
  private readonly buffer: MatchBuffer

  constructor(egraph: EGraph<P>, query: Query, buffer: MatchBuffer) {
    this.egraph = egraph
    this.query = query
    this.buffer = buffer
  }

  get(variable: string): ClassId {
    return this.egraph.find(this.buffer.data[this.at + 1 + this.query.slotOf.get(variable)!]!)
  }
}

function interpretBuilder<P>(pattern: Pattern, query: Query): Builder<P> {
  if (pattern.kind === 'variable') {
    const offset = 1 + query.slotOf.get(pattern.name)!
    return (_, data, at) => data[at + offset]!
  }
  const children = pattern.children.map((child) => interpretBuilder<P>(child, query))
  return (egraph, data, at) =>
    egraph.add(
      pattern.op,
      children.map((build) => build(egraph, data, at)),
    )
}

function generateBuilder<P>(pattern: Pattern, query: Query): Builder<P> {
  const code = (p: Pattern): string => {
    if (p.kind === 'variable') return `data[at + ${1 + query.slotOf.get(p.name)!}]`
    const children = p.children.map(code)
    if (children.length > 3) return `egraph.add(${p.op}, [${children.join(', ')}])`
    const narrow = [0, 1, 2].map((i) => children[i] ?? '-1')
    return `egraph.addNarrow(${p.op}, ${narrow.join(', ')}, ${children.length})`
  }
  return new Function('egraph', 'data', 'at', `return ${code(pattern)}`) as Builder<P>
}
