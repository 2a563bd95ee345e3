// A body of If, Loop or Scan as a graph that can be searched, and back: constants around it that it captures become its own for
// the search, and what it is called from outside stays.
import type { Graph, Node, Value, ValueId } from '../ir/graph.ts'
import type { Tensor } from '../ir/tensor.ts'

/** `body` with the constants of `outer` that it captures as constants. `fed`: inputs of the body that are not captured. */
export function withConstants(body: Graph, fed: number, outer: Graph): Graph {
  const constants = new Map<string, Tensor>()
  for (const [v, t] of outer.initializers) if (!outer.inputs.includes(v)) constants.set(outer.values[v]!.name, t)
  const known = (v: ValueId) => constants.get(body.values[v]!.name)
  const captured = body.inputs.slice(fed).filter((v) => known(v) !== undefined)
  const inputs = body.inputs.filter((v) => !captured.includes(v))
  const initializers = new Map([...body.initializers, ...captured.map((v) => [v, known(v)!] as const)])
  return { ...body, inputs, initializers }
}

/** A program for the place of `body`: with its declared inputs and outputs, constants of the outer graph captured again, and
 * names of its own that start with `prefix`. `searched`: the body as `withConstants` made it. */
export function asBody(program: Graph, body: Graph, searched: Graph, prefix: string): Graph {
  const kept = constantOutputsKept(program, searched)
  const isConstantInput = (v: ValueId) => body.inputs.includes(v) && searched.initializers.has(v)
  const outerConstants = new Map(
    body.inputs.filter(isConstantInput).map((v) => [searched.initializers.get(v)!, body.values[v]!.name]),
  )
  const captured = [...kept.initializers].filter(([, t]) => outerConstants.has(t)).map(([v]) => v)
  const initializers = new Map([...kept.initializers].filter(([v]) => !captured.includes(v)))
  const names = new Map(captured.map((v) => [v, outerConstants.get(kept.initializers.get(v)!)!]))
  const own = body.values.filter((_, v) => !isConstantInput(v as ValueId))
  const boundary = new Set([...body.inputs, ...body.outputs].map((v) => body.values[v]!))
  const known = new Map(own.map((value) => [value.name, value]))
  const values = kept.values.map((value, v): Value => {
    const name = names.get(v as ValueId)
    if (name !== undefined) return { ...value, name }
    const original = known.get(value.name)
    if (!original) return { ...value, name: `${prefix}${value.name}` }
    return boundary.has(original) ? original : value
  })
  return { ...kept, inputs: [...kept.inputs, ...captured], initializers, values }
}

/** An output that was a constant is one again, where it became a copy of one. */
function constantOutputsKept(program: Graph, searched: Graph): Graph {
  const initializers = new Map(program.initializers)
  const dropped = new Set<Node>()
  searched.outputs.forEach((v, i) => {
    const output = program.outputs[i]!
    const maker = program.nodes.find((n) => n.outputs.includes(output))
    const source = maker?.op === 'Identity' && maker.domain === '' ? maker.inputs[0]! : null
    const constant = source === null ? undefined : program.initializers.get(source)
    if (!searched.initializers.has(v) || !maker || !constant || program.inputs.includes(source!)) return
    initializers.set(output, constant)
    dropped.add(maker)
  })
  return withoutUnreadConstants({ ...program, initializers, nodes: program.nodes.filter((n) => !dropped.has(n)) })
}

/** The graph without constants that nothing reads. */
export function withoutUnreadConstants(graph: Graph): Graph {
  const read = new Set<ValueId | null>([...graph.inputs, ...graph.outputs])
  for (const n of graph.nodes) for (const v of [...n.inputs, ...n.captures]) read.add(v)
  return { ...graph, initializers: new Map([...graph.initializers].filter(([v]) => read.has(v))) }
}
