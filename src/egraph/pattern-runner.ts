// Pattern rewrites inside `saturate`.
import type { EGraph } from './egraph.ts'
import type { PatternRewrite } from './pattern-rewrite.ts'
import { RuleCounters, type Runner } from './runner.ts'

export class PatternRunner<P> implements Runner {
  readonly counters: RuleCounters
  constructor(_egraph: EGraph<P>, rule: PatternRewrite<P>, _ruleId: number) {
    this.counters = new RuleCounters(rule.name)
  }
  search(): number {
    throw new Error('pattern rewrites are not ready')
  }
  drop(): void {}
  apply(): boolean {
    return true
  }
}
