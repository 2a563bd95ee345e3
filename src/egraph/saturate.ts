// Equality saturation: search all rules on the frozen e-graph, apply them all, rebuild; again, until nothing changes or a
// limit is reached. Why it stopped is a value, and the report says what each rule did.
import { drain } from '../base/steps.ts'
import type { EGraph } from './egraph.ts'
import { canGenerate, type MatcherKind } from './match.ts'
import { OperatorIndex } from './operator-index.ts'
import type { PatternRewrite } from './pattern-rewrite.ts'
import { PatternRunner } from './pattern-runner.ts'
import type { Rewrite } from './rewrite.ts'
import { type Gate, NodeRunner, type RuleReport, type Runner } from './runner.ts'
import { type Scheduler, simpleScheduler } from './scheduler.ts'

export type { RuleReport } from './runner.ts'

export interface SaturationLimits<P = unknown> {
  readonly iterationLimit: number
  /** Live e-nodes. Checked before each application too; what is there then stays a consistent e-graph. */
  readonly nodeLimit: number
  readonly timeLimitMs: number
  /** Milliseconds from any fixed point; default `performance.now`. */
  readonly clock?: () => number
  /** Default: `simpleScheduler()`. */
  readonly scheduler?: Scheduler
  /** Number of the first rule, as `originRule` gives it; default 0. */
  readonly firstRule?: number
  /** Asked before each iteration and at the end; a string is the goal that is reached, and stops. */
  readonly until?: (egraph: EGraph<P>) => string | null
  /** How patterns are matched; default: generated code where the runtime allows it. */
  readonly matcher?: MatcherKind
  readonly onIteration?: (iteration: IterationReport) => void
}

export type StopReason =
  | { readonly kind: 'saturated'; readonly iterations: number }
  | { readonly kind: 'iteration-limit'; readonly iterationLimit: number }
  | { readonly kind: 'node-limit'; readonly nodeLimit: number; readonly eNodes: number }
  | { readonly kind: 'time-limit'; readonly timeLimitMs: number; readonly elapsedMs: number }
  | { readonly kind: 'goal'; readonly goal: string }

export interface IterationReport {
  readonly iteration: number
  /** Counts after the rebuild. */
  readonly eNodes: number
  readonly eClasses: number
  /** Matches and applied matches in this iteration, per rule in the order of the rules. */
  readonly matches: readonly number[]
  readonly applied: readonly number[]
  readonly searchMs: number
  readonly applyMs: number
  readonly rebuildMs: number
}

export interface SaturationReport {
  readonly iterations: number
  readonly eNodes: number
  readonly eClasses: number
  readonly stopReason: StopReason
  readonly seconds: number
  readonly rules: readonly RuleReport[]
  readonly perIteration: readonly IterationReport[]
}

/** Applies the rules until saturation or a limit; the e-graph is rebuilt when it returns. */
export function saturate<P>(
  egraph: EGraph<P>,
  rules: readonly Rewrite<P>[],
  limits: SaturationLimits<P>,
): SaturationReport {
  return drain(saturateInSteps(egraph, rules, limits))
}

/** The same, pausing after each rule's turn, so that whoever drives it can do something else in between. */
export function saturateInSteps<P>(
  egraph: EGraph<P>,
  rules: readonly Rewrite<P>[],
  limits: SaturationLimits<P>,
): Generator<void, SaturationReport> {
  return new Saturation(egraph, rules, limits).run()
}

/** Applications between two looks at the clock. */
const CLOCK_STRIDE = 64

class Saturation<P> {
  private readonly egraph: EGraph<P>
  private readonly limits: SaturationLimits<P>
  private readonly scheduler: Scheduler
  private readonly clock: () => number
  private readonly runners: readonly Runner[]
  private readonly startedAt: number
  private readonly perIteration: IterationReport[] = []
  private stop: StopReason | null = null
  private applications = 0

  constructor(egraph: EGraph<P>, rules: readonly Rewrite<P>[], limits: SaturationLimits<P>) {
    this.egraph = egraph
    this.limits = limits
    this.scheduler = limits.scheduler ?? simpleScheduler()
    this.clock = limits.clock ?? (() => performance.now())
    this.startedAt = this.clock()
    const matcher = limits.matcher ?? (canGenerate() ? 'generated' : 'interpreted')
    this.runners = createRunners(egraph, rules, matcher, limits.firstRule ?? 0)
  }

  *run(): Generator<void, SaturationReport> {
    this.egraph.rebuild()
    for (let iteration = 0; ; iteration++) {
      this.stop ??= this.goalReached() ?? this.limitReached(iteration)
      if (this.stop !== null) return this.report(this.stop)
      yield* this.iterate(iteration)
    }
  }

  private *iterate(iteration: number): Generator<void, void> {
    const { egraph, runners, clock } = this
    const before = egraph.changeCount
    const earlier = runners.map(({ counters }) => ({ matches: counters.matches, applied: counters.applied }))
    egraph.nextGeneration()
    const started = clock()
    const allowances = this.search(iteration)
    const searched = clock()
    yield* this.apply(iteration, allowances)
    const applied = clock()
    egraph.rebuild()
    const rebuilt = clock()
    this.perIteration.push({
      iteration,
      eNodes: egraph.nodeCount,
      eClasses: egraph.classCount,
      matches: runners.map(({ counters }, r) => counters.matches - earlier[r]!.matches),
      applied: runners.map(({ counters }, r) => counters.applied - earlier[r]!.applied),
      searchMs: searched - started,
      applyMs: applied - searched,
      rebuildMs: rebuilt - applied,
    })
    this.limits.onIteration?.(this.perIteration.at(-1)!)
    if (this.stop !== null || this.perIteration.at(-1)!.applied.some((count) => count > 0)) return
    if (this.scheduler.canStop(iteration) && egraph.changeCount === before)
      this.stop = { kind: 'saturated', iterations: iteration + 1 }
  }

  private search(iteration: number): number[] {
    return this.runners.map((runner, r) => {
      const allowance = this.scheduler.allowance(r, iteration)
      if (allowance === 0 || this.limitReached(-1) !== null) return 0
      if (runner.search(allowance) <= allowance) return allowance
      this.ban(runner, r, iteration)
      return 0
    })
  }

  private *apply(iteration: number, allowances: readonly number[]): Generator<void, void> {
    const open: Gate = () => this.isOpen()
    for (const [r, runner] of this.runners.entries()) {
      if (allowances[r] === 0) continue
      if (!runner.apply(open, allowances[r]!)) this.ban(runner, r, iteration)
      yield
    }
  }

  private ban(runner: Runner, r: number, iteration: number): void {
    runner.drop()
    runner.counters.bans++
    this.scheduler.ban(r, iteration)
  }

  private isOpen(): boolean {
    if (this.stop !== null) return false
    if (this.egraph.nodeCount > this.limits.nodeLimit || this.applications++ % CLOCK_STRIDE === 0)
      this.stop = this.limitReached(-1)
    return this.stop === null
  }

  private goalReached(): StopReason | null {
    const goal = this.limits.until?.(this.egraph) ?? null
    return goal === null ? null : { kind: 'goal', goal }
  }

  private limitReached(iteration: number): StopReason | null {
    const { iterationLimit, nodeLimit, timeLimitMs } = this.limits
    const elapsedMs = this.clock() - this.startedAt
    if (elapsedMs > timeLimitMs) return { kind: 'time-limit', timeLimitMs, elapsedMs }
    if (this.egraph.nodeCount > nodeLimit) return { kind: 'node-limit', nodeLimit, eNodes: this.egraph.nodeCount }
    return iteration >= iterationLimit ? { kind: 'iteration-limit', iterationLimit } : null
  }

  private report(stopReason: StopReason): SaturationReport {
    return {
      iterations: this.perIteration.length,
      eNodes: this.egraph.nodeCount,
      eClasses: this.egraph.classCount,
      stopReason,
      seconds: (this.clock() - this.startedAt) / 1000,
      rules: this.runners.map((runner) => runner.counters),
      perIteration: this.perIteration,
    }
  }
}

function createRunners<P>(
  egraph: EGraph<P>,
  rules: readonly Rewrite<P>[],
  kind: MatcherKind,
  firstRule: number,
): Runner[] {
  const index = new OperatorIndex()
  return rules.map((rule, r) =>
    rule.kind === 'node'
      ? new NodeRunner(egraph, rule, firstRule + r)
      : new PatternRunner(egraph, rule as PatternRewrite<P>, firstRule + r, index, kind),
  )
}
