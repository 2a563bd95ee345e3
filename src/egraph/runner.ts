// One rule at work inside `saturate`: first it looks for work on the frozen e-graph, then it applies what it found.
// Node rewrites here; pattern rewrites in pattern-runner.ts.
import type { EGraph } from './egraph.ts'
import type { NodeId } from './ids.ts'
import type { NodeRewrite } from './rewrite.ts'

/** What a rule did so far. */
export interface RuleReport {
  readonly name: string
  /** Classes returned by a node rewrite; substitutions found for a pattern, whether or not they were there before. */
  readonly matches: number
  /** Matches that made two classes one. */
  readonly applied: number
  /** E-nodes first made by this rule; some may have merged with others since. */
  readonly made: number
  /** Reasons given for not firing, with their counts. */
  readonly refused: Readonly<Record<string, number>>
  /** Times the scheduler sent the rule off for having too many matches. */
  readonly bans: number
}

/** Asked before each application; false: a limit is reached, stop here. */
export type Gate = () => boolean

export class RuleCounters implements RuleReport {
  readonly name: string
  matches = 0
  applied = 0
  made = 0
  bans = 0
  readonly refused: Record<string, number> = {}
  constructor(name: string) {
    this.name = name
  }

  refuse(reason: string): void {
    this.refused[reason] = (this.refused[reason] ?? 0) + 1
  }
}

export interface Runner {
  readonly counters: RuleCounters
  /** Looks for work; returns the number of matches known already (at most `allowance` + 1). Changes nothing. */
  search(allowance: number): number
  /** Forgets what `search` found. */
  drop(): void
  /** Applies what `search` found. Returns false if it had more than `allowance` matches and stopped there. */
  apply(open: Gate, allowance: number): boolean
}

/** Shows a node rewrite the nodes of its families that changed, within its depth, since it last saw them all. */
export class NodeRunner<P> implements Runner {
  readonly counters: RuleCounters
  private readonly egraph: EGraph<P>
  private readonly rule: NodeRewrite<P>
  private readonly ruleId: number
  private found: NodeId[] = []
  private foundIn = 0
  /** The generation of the last complete visit. */
  private visited = -1

  constructor(egraph: EGraph<P>, rule: NodeRewrite<P>, ruleId: number) {
    this.egraph = egraph
    this.rule = rule
    this.ruleId = ruleId
    this.counters = new RuleCounters(rule.name)
  }

  search(): number {
    const depth = this.rule.depth ?? 2
    this.foundIn = this.egraph.generation
    this.found = this.candidates().filter(
      (n) => this.visited < 0 || this.changedWithin(this.egraph.classOf(n), n, depth),
    )
    return 0
  }

  drop(): void {
    this.found = []
  }

  apply(open: Gate, allowance: number): boolean {
    const last = this.counters.matches + allowance
    for (const n of this.found) {
      if (this.counters.matches >= last) return false
      if (!open()) return true
      if (this.egraph.isLive(n)) this.applyTo(n)
    }
    this.visited = this.foundIn
    this.found = []
    return true
  }

  private applyTo(n: NodeId): void {
    const { egraph, counters } = this
    const before = egraph.idLimit
    egraph.setOrigin(this.ruleId, n)
    try {
      // All results first: a rule that walks a class while its own results grow it may never end (x = x + x, once x is 0).
      for (const result of [...this.rule.apply(egraph, n)]) {
        if (typeof result === 'object') {
          counters.refuse(result.refused)
          continue
        }
        counters.matches++
        if (egraph.union(egraph.classOf(n), result)) counters.applied++
      }
    } finally {
      egraph.setOrigin(-1, -1)
    }
    counters.made += egraph.idLimit - before
  }

  private candidates(): NodeId[] {
    const { egraph, rule } = this
    if (rule.families === 'all') {
      const out: NodeId[] = []
      for (let n = 0; n < egraph.idLimit; n++) if (egraph.isLive(n as NodeId)) out.push(n as NodeId)
      return out
    }
    return rule.families.flatMap((name) => egraph.nodesInFamily(egraph.operators.family(name)))
  }

  private changedWithin(cls: number, n: NodeId, depth: number): boolean {
    const { egraph, visited } = this
    if (depth === Number.POSITIVE_INFINITY || egraph.classGeneration(cls) >= visited) return true
    if (depth <= 1) return false
    for (let i = 0; i < egraph.arityOf(n); i++)
      if (this.classChangedWithin(egraph.childOf(n, i), depth - 1)) return true
    return false
  }

  private classChangedWithin(cls: number, depth: number): boolean {
    const { egraph, visited } = this
    if (egraph.classGeneration(cls) >= visited) return true
    return depth > 1 && egraph.nodesOf(cls).some((m) => this.changedWithin(cls, m, depth))
  }
}
