// Bodies of If, Loop and Scan, each optimised as a graph of its own: searched with what it captures as inputs, ranked by the
// kernels that the runtime would execute, compared with the body as it is on the same inputs, and put back into its node. A body
// that is not safe to change, or for which nothing better is found, stays byte for byte as it is, and it is said why.
import { UnsupportedError, UserError } from '../base/errors.ts'
import type { Talk } from '../base/talk.ts'
import type { CostModel } from '../cost/cost-model.ts'
import type { Bindings } from '../ir/dim.ts'
import { type Graph, type Node, qualifiedName, type ValueId } from '../ir/graph.ts'
import { type Body, bodiesOf, innerModelOf, type Model, namesIn, withBodies } from '../onnx/index.ts'
import type { Encoded } from '../rewrite/encode.ts'
import type { Rule } from '../rewrite/rule.ts'
import { type Backend, blockSizeOf, type InputShapes } from '../runtime/index.ts'
import { asBody, withConstants } from './body-graph.ts'
import { bodySizes, iterationsOf } from './body-sizes.ts'
import { NodeChanges } from './body-swap.ts'
import { typeBody } from './body-types.ts'
import { exploreModel } from './explore-model.ts'
import { fitsGrowth } from './growth.ts'
import { keepNamesApart } from './inner-names.ts'
import { type Prepared, weightBytes } from './prepare.ts'
import { type Ranked, rankCandidates } from './rank.ts'
import { makeCandidates } from './variants.ts'

/** A body that was looked at. */
export interface FoundBody {
  /** `body of node loop1 (Loop)`, with the attribute that holds it. */
  readonly where: string
  /** Rules whose e-nodes it uses, with counts; empty where it stays as it is. */
  readonly rules: ReadonlyMap<string, number>
  /** Why it stays as it is; null: it was optimised. */
  readonly reason: string | null
}

export interface Bodies {
  readonly found: readonly FoundBody[]
  /** Of all that were optimised together. */
  readonly rules: ReadonlyMap<string, number>
  /** What all bodies take in one run of the model, in milliseconds: as they are, and with those optimised that were. */
  readonly beforeMs: number
  readonly afterMs: number
  /** Some body was optimised. */
  readonly isAny: boolean
  /** A program of the model, with the optimised bodies in place of the original ones. */
  apply(graph: Graph): Graph
}

/** Null: they compute the same; else what differs, or why that cannot be told. */
export type ComparePrograms = (original: Model, changed: Model, shapes: InputShapes) => Promise<string | null>

export interface BodySearch {
  readonly cost: CostModel
  readonly device: Backend
  readonly own: readonly Rule[]
  /** Patterns of rule names, or null for all. */
  readonly rules: string | null
  /** For all bodies together. */
  readonly seconds: number
  readonly seed: number
  readonly maxGrowth: number | null
  readonly compare: ComparePrograms
}

/** Operators that call a body with what they are fed, and do nothing else with it. */
const CALLERS: readonly string[] = ['If', 'Loop', 'Scan']
/** Programs of a body that are lowered, and how many of them are compared with it. */
const CANDIDATES = 8
const COMPARED = 3
const EXTRACTION_MS = 1000

/** Optimises the bodies of a model, those inside of bodies first. `explored`: what the search of the model came to know. */
export async function optimizeBodies(
  prepared: Prepared,
  explored: Encoded,
  search: BodySearch,
  talk: Talk,
): Promise<Bodies> {
  const job = new BodyJob(prepared, search, talk)
  const changes = await job.changeNodes(withFoundTypes(prepared.graph, explored), prepared.bindings)
  const rules = new Map<string, number>()
  for (const body of job.found) for (const [name, n] of body.rules) rules.set(name, (rules.get(name) ?? 0) + n)
  const { found } = job
  if (found.length > 0) talk.note('bodies', foundText(found))
  const { beforeMs, afterMs, isAny } = changes
  return { found, rules, beforeMs, afterMs, isAny, apply: (graph) => changes.apply(graph) }
}

/** The graph with types that inference did not know: the e-graph folds constants. */
function withFoundTypes(graph: Graph, { t, classes }: Encoded): Graph {
  const found = (v: ValueId) => (classes.has(v) ? t.type(t.egraph.find(classes.get(v)!)) : null)
  return { ...graph, values: graph.values.map((value, v) => ({ ...value, type: value.type ?? found(v as ValueId) })) }
}

/** `1 of 3 optimised; 2 kept: nothing better was found`. */
export function foundText(found: readonly Pick<FoundBody, 'reason'>[]): string {
  const kept = new Map<string, number>()
  for (const { reason } of found) if (reason !== null) kept.set(reason, (kept.get(reason) ?? 0) + 1)
  const optimised = found.filter((f) => f.reason === null).length
  return [`${optimised} of ${found.length} optimised`, ...[...kept].map(([why, n]) => `${n} kept: ${why}`)].join('; ')
}

/** A body as the search sees it. */
interface Searched {
  readonly body: Body
  readonly where: string
  /** Every input typed; captured constants are constants. */
  readonly graph: Graph
  /** Numbers for the dimensions that are open. */
  readonly bindings: Bindings
  readonly shapes: InputShapes
}

/** What became of a body; milliseconds of one call of it. */
interface Outcome {
  /** For its place; null: it stays. */
  readonly graph: Graph | null
  readonly beforeMs: number
  readonly afterMs: number
}

const UNCHANGED: Outcome = { graph: null, beforeMs: 0, afterMs: 0 }

/** The body is right, as a rule: sizes that only a run shows were assumed. */
const misfit = ({ complaint: { where, expected, got } }: UserError): string =>
  `at the sizes assumed for it, ${where}: expected ${expected}, got ${got}`

class BodyJob {
  readonly found: FoundBody[] = []
  private readonly prepared: Prepared
  private readonly search: BodySearch
  private readonly quiet: Talk
  private readonly deadline: number
  private readonly names: readonly string[]
  private marks = 0

  constructor(prepared: Prepared, search: BodySearch, talk: Talk) {
    this.prepared = prepared
    this.search = search
    this.quiet = { note() {}, progress() {}, warn: (text) => talk.warn(text), signal: talk.signal }
    this.deadline = performance.now() + search.seconds * 1000
    this.names = [...namesIn(prepared.graph)]
  }

  /** The bodies of all nodes of a graph. */
  async changeNodes(outer: Graph, bindings: Bindings): Promise<NodeChanges> {
    const changes = new NodeChanges(outer)
    for (const node of outer.nodes) {
      const bodies = bodiesOf(node, outer)
      if (bodies.length === 0) continue
      const refused = refusal(node) ?? (changes.isAmbiguous(node) ? 'an equal node is fed with other types' : null)
      if (refused !== null) bodies.forEach((b) => void this.keep(place(node, b), refused))
      else if (changes.known(node)) changes.again(node)
      else await this.changeNode(node, bodies, outer, bindings, changes)
    }
    return changes
  }

  private async changeNode(
    node: Node,
    bodies: readonly Body[],
    outer: Graph,
    bindings: Bindings,
    changes: NodeChanges,
  ): Promise<void> {
    const changed = new Map<Body, Graph>()
    const runs = iterationsOf(node, outer, bindings)
    let [before, after] = [0, 0]
    for (const body of bodies) {
      this.quiet.signal.throwIfAborted()
      const { graph, beforeMs, afterMs } = await this.changeBody(node, body, outer, bindings)
      if (graph !== null) changed.set(body, graph)
      before += beforeMs * runs
      after += afterMs * runs
    }
    changes.add(node, changed.size === 0 ? null : withBodies(node, changed), before, after)
  }

  private async changeBody(node: Node, body: Body, outer: Graph, bindings: Bindings): Promise<Outcome> {
    const where = place(node, body)
    if (performance.now() > this.deadline) return this.keep(where, 'no time was left')
    const from = this.found.length
    const mark = this.freshMark()
    try {
      const searched = readBody(node, body, outer, bindings, mark)
      if (typeof searched === 'string') return this.keep(where, searched)
      return await this.optimise({ ...searched, where }, `${mark}/`)
    } catch (error) {
      if (!(error instanceof UserError || error instanceof UnsupportedError)) throw error
      return this.keepWith(from, where, error instanceof UserError ? misfit(error) : error.message)
    }
  }

  private async optimise(searched: Searched, prefix: string): Promise<Outcome> {
    const { body, graph, where } = searched
    const from = this.found.length
    const inner = await this.changeNodes(graph, searched.bindings)
    const best = await this.best(searched, inner.apply(graph))
    if (best.chosen === null) return this.keepWith(from, where, best.reason, best.beforeMs + inner.beforeMs)
    const { candidate } = best.chosen
    if (candidate) this.found.push({ where, rules: candidate.rules, reason: null })
    else this.keep(where, 'only bodies inside of it are better')
    return {
      graph: asBody(best.chosen.model.graph, body.graph, graph, prefix),
      beforeMs: best.beforeMs + inner.beforeMs,
      afterMs: best.chosen.predictedMs + inner.afterMs,
    }
  }

  /** The best program of a body that computes the same; that of `graph`, with bodies of its own optimised, if none is better. */
  private async best(searched: Searched, graph: Graph) {
    const { own, rules, cost, device, seed, seconds, maxGrowth, compare } = this.search
    const { bindings, shapes } = searched
    const apart = keepNamesApart(graph)
    const model = (g: Graph) => innerModelOf(apart(g), this.prepared.original)
    const limit = Math.min(seconds / 2, Math.max(1, (this.deadline - performance.now()) / 1000))
    const blockSize = await blockSizeOf(device)
    const explored = await exploreModel({ graph }, own, { rules, seconds: limit, blockSize }, this.quiet)
    const made = makeCandidates(explored, graph, cost, bindings, {
      count: CANDIDATES,
      seed,
      timeLimitMs: EXTRACTION_MS,
    })
    const candidates = made.candidates.map((candidate, i) => ({ id: `${i}`, candidate, model: model(candidate.graph) }))
    const ranking = await rankCandidates(device, cost, model(graph), candidates, {
      shapes,
      subnormalMs: made.originalSubnormalMs,
    })
    const original = model(searched.graph)
    const fits = fitsGrowth({ original, weightBytes }, maxGrowth)
    const beforeMs = ranking.original.predictedMs
    const better = ranking.variants.filter((v) => v.predictedMs < beforeMs && fits(v)).slice(0, COMPARED)
    const unchanged = graph === searched.graph ? [] : [ranking.original]
    let reason = 'nothing better was found'
    for (const chosen of [...better, ...unchanged]) {
      const difference = await compare(original, chosen.model, shapes)
      if (difference === null) return { chosen, beforeMs, reason: '' }
      reason = difference
    }
    return { chosen: null as Ranked | null, beforeMs, reason }
  }

  private keep(where: string, reason: string): Outcome {
    this.found.push({ where, rules: new Map(), reason })
    return UNCHANGED
  }

  /** The same where bodies inside of it, found since `from`, were looked at: they stay with it. */
  private keepWith(from: number, where: string, reason: string, ms = 0): Outcome {
    const inside = this.found.splice(from)
    for (const f of inside)
      this.found.push(f.reason === null ? { ...f, rules: new Map(), reason: 'the body around it stays' } : f)
    this.keep(where, reason)
    return { graph: null, beforeMs: ms, afterMs: ms }
  }

  /** Starts names that nothing in the model has. */
  private freshMark(): string {
    for (;;) {
      const mark = `body${this.marks++}`
      if (!this.names.some((name) => name.startsWith(`${mark}/`))) return mark
    }
  }
}

const refusal = (node: Node): string | null =>
  node.domain === '' && CALLERS.includes(node.op)
    ? null
    : `bodies of ${qualifiedName(node.domain, node.op)} are not looked into`

const place = (node: Node, { attribute, index }: Body): string =>
  `${attribute}${index > 0 ? `[${index}]` : ''} of ${node.name ? `node ${node.name} (${node.op})` : `a ${node.op} node`}`

/** The body typed and at sizes; a string says why it must stay as it is. */
export function readBody(
  node: Node,
  body: Body,
  outer: Graph,
  bindings: Bindings,
  mark: string,
): Omit<Searched, 'where'> | string {
  const { graph: declared, shell } = body
  const fed = declared.inputs.length - shell.captured.size
  const captured = declared.inputs.slice(fed)
  if (shell.defaults.size > 0) return 'it has inputs with default values'
  if (declared.outputs.some((v) => captured.includes(v))) return 'it gives back a value from outside'
  const typed = typeBody(declared, { node, outer, fed, mark })
  if (!typed.ok) return typed.reason
  const graph = withConstants(typed.graph, fed, outer)
  return { body, graph, ...bodySizes(graph, bindings) }
}
