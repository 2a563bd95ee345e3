// The programs of the demonstration that this project started from: (x + y) * 2.0 as torch.fx prints it, and everything that
// three rules prove equal to it; or those of a graph that the user gives. Where the first version listed whole graphs, here one e-graph holds them all, and each
// program is listed once.
import { UserError } from '../base/errors.ts'
import type { ClassId, NodeId } from '../egraph/egraph.ts'
import { saturate } from '../egraph/saturate.ts'
import type { Graph } from '../ir/graph.ts'
import { inferTypes } from '../ir/infer.ts'
import type { Tensor } from '../ir/tensor.ts'
import { decode } from '../rewrite/decode.ts'
import { type Encoded, encode } from '../rewrite/encode.ts'
import { bindRule } from '../rewrite/rule.ts'
import { ruleFamilies } from '../rewrite/rules/index.ts'
import type { DemoIteration } from '../torch/demo-text.ts'
import { exportFx } from '../torch/export.ts'
import type { FxGraph } from '../torch/fx-graph.ts'
import { parseFx } from '../torch/fx-parse.ts'
import { importFx } from '../torch/import.ts'
import { forwardCode } from '../torch/python-code.ts'

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
  /** `original`, or that and the rules that made its nodes: `original_r3_r1`. */
  readonly name: string
  readonly graph: Graph
  readonly fx: FxGraph
  /** As torch.fx writes it. */
  readonly code: string
}

export interface SeedPrograms {
  /** The original first, then in the order in which they were found. */
  readonly programs: readonly Program[]
  readonly iterations: readonly DemoIteration[]
  /** False where the e-graph holds more programs than are listed. */
  readonly isComplete: boolean
}

export interface SeedOptions {
  /** Elements of each input that `shapes` does not name, which is a vector. */
  readonly length: number
  /** A graph as torch.fx prints it; default: the seed's. */
  readonly text?: string
  /** Shapes of inputs by name; all inputs are float32. */
  readonly shapes?: ReadonlyMap<string, readonly number[]>
  /** Tensors that the graph names. */
  readonly weights?: ReadonlyMap<string, Tensor>
}

const LIMITS = { iterationLimit: 10, nodeLimit: 1000, timeLimitMs: 10_000 }
/** A small graph can have thousands of equal programs: so many are listed, of so many choices looked at. */
const MAX_PROGRAMS = 48
const MAX_CHOICES = 20_000

/** Every program, up to a limit, that the seed's rules prove equal to a graph. Throws UserError where the text is no graph, a
 * shape is of no input, or a module needs weights; UnsupportedError on a function that is not known. */
export function seedPrograms(options: SeedOptions): SeedPrograms {
  const { length, text = SEED_GRAPH, shapes = new Map(), weights = new Map() } = options
  const fx = parseFx(text)
  const graph = importFx(fx, { inputs: inputTypes(fx, length, shapes), weights })
  const encoded = encode(graph)
  const { egraph } = encoded.t
  const rules = ruleFamilies.find((f) => f.name === 'seed')!.rules
  const catalogue = new Catalogue(encoded, graph)
  const iterations: DemoIteration[] = []
  let size = egraph.nodeCount
  const bound = rules.map((r) => bindRule(encoded.t, r))
  const onIteration = () => {
    iterations.push({ size, found: catalogue.update() })
    size = egraph.nodeCount
  }
  saturate(egraph, bound, { ...LIMITS, onIteration })
  return { programs: catalogue.programs, iterations, isComplete: catalogue.isComplete }
}

function inputTypes(fx: FxGraph, length: number, shapes: ReadonlyMap<string, readonly number[]>) {
  const names = fx.nodes.filter((n) => n.opcode === 'placeholder').map((n) => n.name)
  for (const name of shapes.keys())
    if (!names.includes(name)) {
      const [expected, fix] = [`one of the inputs ${names.join(', ')}`, 'name an input of the graph']
      throw new UserError({ code: 'bad-shape', where: `--shape ${name}`, expected, got: name, fix })
    }
  return new Map(names.map((name) => [name, { shape: shapes.get(name) ?? [length] }]))
}

/** `newest`: its e-node that was made last. Of two programs by the same rules, the one at the earlier place comes first. */
type Found = Program & { readonly newest: number }

/** The programs of an e-graph that grows, each under a name of its own. */
class Catalogue {
  readonly programs: Program[] = []
  isComplete = true
  private readonly encoded: Encoded
  private readonly original: Graph
  private readonly firstNew: number

  constructor(encoded: Encoded, original: Graph) {
    this.encoded = encoded
    this.original = original
    this.firstNew = encoded.t.egraph.idLimit
    this.update()
  }

  /** Adds the programs that are new; returns their names. */
  update(): readonly string[] {
    const known = new Set(this.programs.map((p) => p.code))
    const found: Found[] = []
    let looked = 0
    for (const choice of choicesOf(this.encoded)) {
      this.isComplete = known.size < MAX_PROGRAMS && looked++ < MAX_CHOICES
      if (!this.isComplete) break
      const program = this.program(choice)
      if (known.has(program.code)) continue
      known.add(program.code)
      found.push({ ...program, newest: Math.max(...choice.values()) })
    }
    const named = found
      .sort((a, b) => a.code.length - b.code.length || a.newest - b.newest || (a.code < b.code ? -1 : 1))
      .map(({ newest: _, ...p }) => {
        const named = { ...p, name: this.freeName(p.name) }
        this.programs.push(named)
        return named.name
      })
    return named
  }

  private program(chosen: Chosen): Program {
    const { t, roots } = this.encoded
    const graph = withScalars(decode(t, this.original, roots, (c) => chosen.get(t.egraph.find(c))!))
    const fx = exportFx(graph, { naming: 'operators' }).graph
    const name = this.nameOf(chosen)
    return { name, graph, fx, code: forwardCode(fx) }
  }

  /** As the first demonstration named them: `original`, and `_rN` for each application of rule N that it owes a node to. */
  private nameOf(chosen: Chosen): string {
    const { egraph } = this.encoded.t
    const made = [...chosen.values()].filter((n) => n >= this.firstNew).sort((a, b) => a - b)
    const applications = new Set(made.map((n) => `_r${egraph.originRule(n) + 1}@${egraph.originSource(n)}`))
    return ['original', ...[...applications].map((a) => a.split('@')[0])].join('')
  }

  private freeName(name: string): string {
    const taken = new Set(this.programs.map((p) => p.name))
    for (let n = 1; ; n++) {
      const candidate = n === 1 ? name : `${name}#${n}`
      if (!taken.has(candidate)) return candidate
    }
  }
}

type Chosen = ReadonlyMap<ClassId, NodeId>

/** Every way to choose e-nodes for the classes that the roots need, without cycles, one after the other. */
function* choicesOf({ t, roots }: Encoded): Generator<Chosen> {
  function* extend(chosen: Chosen, needed: readonly ClassId[]): Generator<Chosen> {
    const [next, ...rest] = needed
    if (next === undefined) return yield chosen
    const c = t.egraph.find(next)
    if (chosen.has(c)) return yield* extend(chosen, rest)
    for (const n of t.egraph.nodesOf(c)) yield* extend(new Map([...chosen, [c, n]]), [...t.children(n), ...rest])
  }
  const isAcyclic = (chosen: Chosen, c: ClassId, path: readonly ClassId[]): boolean =>
    !path.includes(c) &&
    t.children(chosen.get(c)!).every((child) => isAcyclic(chosen, t.egraph.find(child), [...path, c]))
  for (const chosen of extend(new Map(), roots))
    if (roots.every((root) => isAcyclic(chosen, t.egraph.find(root), []))) yield chosen
}

/** Constants of one element without axes, as the seed writes its 2.0; the canonical form gives operands the rank of the result. */
function withScalars(graph: Graph): Graph {
  const toScalar = (t: Tensor): Tensor => (t.shape.every((d) => d === 1) ? { ...t, shape: [] } : t)
  return inferTypes({ ...graph, initializers: new Map([...graph.initializers].map(([v, t]) => [v, toScalar(t)])) })
}
