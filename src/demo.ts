// The demonstration that this project started from, on our engine: (x + y) * 2.0 as torch.fx prints it, three rules, every
// program that they prove equal, each with its Python code, its time on this machine, and its difference from the original.
// Where the first version listed whole graphs, here one e-graph holds them all, and each program is listed once.
import type { ClassId, NodeId } from './egraph/egraph.ts'
import { saturate } from './egraph/saturate.ts'
import type { Graph } from './ir/graph.ts'
import { inferTypes } from './ir/infer.ts'
import type { Tensor } from './ir/tensor.ts'
import { type Choice, decode } from './rewrite/decode.ts'
import { type Encoded, encode } from './rewrite/encode.ts'
import { bindRule, type Rule } from './rewrite/rule.ts'
import { ruleFamilies } from './rewrite/rules/index.ts'
import { exportFx } from './torch/export.ts'
import { parseFx } from './torch/fx-parse.ts'
import { importFx } from './torch/import.ts'
import { forwardCode } from './torch/python-code.ts'

/** `print(torch.fx.symbolic_trace(module).graph)` of `forward(x, y): return (x + y) * 2.0`. */
export const SEED_GRAPH = `graph():
    %x : [num_users=1] = placeholder[target=x]
    %y : [num_users=1] = placeholder[target=y]
    %add : [num_users=1] = call_function[target=operator.add](args = (%x, %y), kwargs = {})
    %mul : [num_users=1] = call_function[target=operator.mul](args = (%add, 2.0), kwargs = {})
    return mul
`

/** One program of the e-graph. */
export interface Program {
  /** `original`, or the rules that made its nodes: `distribute, double-as-sum x2`. */
  readonly name: string
  readonly graph: Graph
  /** As torch.fx writes it. */
  readonly code: string
}

const LIMITS = { iterationLimit: 10, nodeLimit: 1000, timeLimitMs: 10_000 }

/** Every program that the seed's rules prove equal to the seed's graph on vectors of `length`, the original first. */
export function seedPrograms(length: number): readonly Program[] {
  const shape = { shape: [length] }
  const graph = importFx(parseFx(SEED_GRAPH), {
    inputs: new Map([
      ['x', shape],
      ['y', shape],
    ]),
  })
  const encoded = encode(graph)
  const { t } = encoded
  const original = t.egraph.idLimit
  const rules = ruleFamilies.find((f) => f.name === 'seed')!.rules
  saturate(
    t.egraph,
    rules.map((r) => bindRule(t, r)),
    LIMITS,
  )
  const programs = choicesOf(encoded).map((choice) => toProgram(encoded, graph, choice, rules, original))
  return withDistinctNames([...programs].sort(byOrigin))
}

/** The original first, then by code. */
function byOrigin(a: Program, b: Program): number {
  return (
    Number(b.name === 'original') - Number(a.name === 'original') ||
    a.code.length - b.code.length ||
    (a.code < b.code ? -1 : 1)
  )
}

type Chosen = ReadonlyMap<ClassId, NodeId>

/** Every way to choose e-nodes for the classes that the roots need, without cycles. For small e-graphs: it lists them all. */
function choicesOf({ t, roots }: Encoded): readonly Chosen[] {
  const extend = (chosen: Chosen, needed: readonly ClassId[]): readonly Chosen[] => {
    const [next, ...rest] = needed
    if (next === undefined) return [chosen]
    const c = t.egraph.find(next)
    if (chosen.has(c)) return extend(chosen, rest)
    return t.egraph.nodesOf(c).flatMap((n) => extend(new Map([...chosen, [c, n]]), [...t.children(n), ...rest]))
  }
  const isAcyclic = (chosen: Chosen, c: ClassId, path: readonly ClassId[]): boolean =>
    !path.includes(c) &&
    t.children(chosen.get(c)!).every((child) => isAcyclic(chosen, t.egraph.find(child), [...path, c]))
  return extend(new Map(), roots).filter((chosen) => roots.every((root) => isAcyclic(chosen, t.egraph.find(root), [])))
}

function toProgram(
  encoded: Encoded,
  original: Graph,
  chosen: Chosen,
  rules: readonly Rule[],
  firstNew: number,
): Program {
  const { t, roots } = encoded
  const choice: Choice = (c) => chosen.get(t.egraph.find(c))!
  const graph = withScalars(decode(t, original, roots, choice))
  const made = [...chosen.values()].filter((n) => n >= firstNew).map((n) => rules[t.egraph.originRule(n)]!.name)
  const name = made.length === 0 ? 'original' : [...new Set(made)].sort().join(' + ')
  return { name, graph, code: forwardCode(exportFx(graph, { naming: 'operators' }).graph) }
}

/** Constants of one element without axes, as the seed writes its 2.0; the canonical form gives operands the rank of the result. */
function withScalars(graph: Graph): Graph {
  const toScalar = (t: Tensor): Tensor => (t.shape.every((d) => d === 1) ? { ...t, shape: [] } : t)
  return inferTypes({ ...graph, initializers: new Map([...graph.initializers].map(([v, t]) => [v, toScalar(t)])) })
}

/** Equal names get numbers. */
function withDistinctNames(programs: readonly Program[]): readonly Program[] {
  const seen = new Map<string, number>()
  return programs.map((p) => {
    const n = (seen.get(p.name) ?? 0) + 1
    seen.set(p.name, n)
    return n === 1 ? p : { ...p, name: `${p.name} (${n})` }
  })
}
