// Types inside a body of If, Loop or Scan. A body says little of itself: its inputs are typed by what the node is given, and what
// a loop carries by induction: a size that one iteration changes is open in all of them. Names of dimensions that the body
// declares are not believed to be those around it, nor one another; sizes that are numbers are.
import { getInt, getInts } from '../ir/attribute.ts'
import { type Dim, dimEquals, namedDim } from '../ir/dim.ts'
import { type Graph, type Node, opsetOf, type Value, type ValueId } from '../ir/graph.ts'
import { inferFacts, inferTypes } from '../ir/infer.ts'
import type { TensorType } from '../ir/tensor.ts'

export type TypedBody =
  | { readonly ok: true; readonly graph: Graph }
  /** Why it cannot be typed. */
  | { readonly ok: false; readonly reason: string }

export interface BodyPlace {
  readonly node: Node
  /** The graph of the node, typed. */
  readonly outer: Graph
  /** Inputs of the body that the node feeds; those after them are captured. */
  readonly fed: number
  /** Starts the names of dimensions that are known in this body alone. */
  readonly mark: string
}

/** The body with a type for each input, and what follows from them. Throws UserError where a call in it makes no sense. */
export function typeBody(declared: Graph, place: BodyPlace): TypedBody {
  const body = withOwnDims(declared, place)
  const given = givenTypes(place)
  if (typeof given === 'string') return { ok: false, reason: given }
  const own = body.inputs.slice(0, place.fed).map((v) => body.values[v]!.type)
  const inputs = body.inputs.map((v, i) => (i < place.fed ? merged(own[i]!, given.types[i]!) : body.values[v]!.type))
  const settled = settle(body, inputs, own, given.carried, place.mark)
  const unknown = settled.inputs.find((v) => settled.values[v]!.type === null)
  if (unknown === undefined) return { ok: true, graph: inferTypes(settled) }
  return { ok: false, reason: `the type of ${settled.values[unknown]!.name} is not known` }
}

/** Every dimension that the body itself names is one of its own. */
function withOwnDims(body: Graph, { fed, mark }: BodyPlace): Graph {
  const captured = new Set(body.inputs.slice(fed))
  const values = body.values.map((value, v): Value => {
    if (!value.type || captured.has(v as ValueId)) return value
    const shape = value.type.shape.map((d, axis) => (typeof d === 'number' ? d : namedDim(`${mark}.${v}.${axis}`)))
    return { ...value, type: { ...value.type, shape } }
  })
  return { ...body, values }
}

interface Given {
  /** What the node feeds to the inputs of its body, as far as is known. */
  readonly types: readonly (TensorType | null)[]
  /** Inputs that are outputs of the iteration before. */
  readonly carried: readonly { readonly input: number; readonly output: number }[]
}

/** A string says why it cannot be told. */
function givenTypes({ node, outer, fed }: BodyPlace): Given | string {
  const types = node.inputs.map((v) => (v === null ? null : outer.values[v]!.type))
  const carry = (count: number, input: number, output: number) =>
    Array.from({ length: count }, (_, i) => ({ input: input + i, output: output + i }))
  const wrong = `it does not have the inputs that ${node.op} feeds`
  if (node.op === 'If') return fed === 0 ? { types: [], carried: [] } : wrong
  if (fed !== node.inputs.length) return wrong
  if (node.op === 'Loop') {
    const counter: TensorType = { dtype: 'int64', shape: [] }
    const going: TensorType = { dtype: 'bool', shape: [] }
    return { types: [counter, going, ...types.slice(2)], carried: carry(fed - 2, 2, 1) }
  }
  if (opsetOf(outer, '') < 9) return 'Scan had another meaning before opset 9'
  const slices = getInt(node.attributes, 'num_scan_inputs', 0)
  const states = fed - slices
  const axes = getInts(node.attributes, 'scan_input_axes', new Array<number>(slices).fill(0))
  const sliced = types.slice(states).map((t, i) => withoutAxis(t, axes[i] ?? 0))
  return { types: [...types.slice(0, states), ...sliced], carried: carry(states, 0, 0) }
}

function withoutAxis(t: TensorType | null, axis: number): TensorType | null {
  const at = t && (axis < 0 ? axis + t.shape.length : axis)
  return t && at !== null ? { ...t, shape: t.shape.filter((_, i) => i !== at) } : null
}

/** Numbers that the body declares hold; else what it is given. Null where the two are of different dtype or rank. */
function merged(declared: TensorType | null, given: TensorType | null): TensorType | null {
  if (!declared || !given) return declared ?? given
  if (!isAlike(declared, given)) return null
  return { ...declared, shape: declared.shape.map((d, i) => (typeof d === 'number' ? d : given.shape[i]!)) }
}

const isAlike = (a: TensorType, b: TensorType): boolean => a.dtype === b.dtype && a.shape.length === b.shape.length

/** The body at input types that one more iteration does not change. */
function settle(
  body: Graph,
  first: readonly (TensorType | null)[],
  declared: readonly (TensorType | null)[],
  carried: Given['carried'],
  mark: string,
): Graph {
  const inputs = [...first]
  for (;;) {
    const typed = withInputTypes(body, inputs)
    const facts = carried.length === 0 ? [] : inferFacts(typed)
    let isSettled = true
    for (const { input, output } of carried) {
      const next = facts[body.outputs[output]!]?.type ?? null
      const wider = widened(inputs[input]!, next, declared[input]!, `${mark}.carried${input}`)
      if (wider !== inputs[input]) isSettled = false
      inputs[input] = wider
    }
    if (isSettled) return typed
  }
}

function withInputTypes(body: Graph, types: readonly (TensorType | null)[]): Graph {
  const at = new Map(body.inputs.map((v, i) => [v, types[i]!]))
  const values = body.values.map((value, v) =>
    at.has(v as ValueId) ? { ...value, type: at.get(v as ValueId)! } : value,
  )
  return { ...body, values }
}

/** A type of what was `now` and is `next` after an iteration; `now` itself where nothing changes. */
function widened(
  now: TensorType | null,
  next: TensorType | null,
  declared: TensorType | null,
  name: string,
): TensorType | null {
  if (now === null) return null
  if (next === null || !isAlike(now, next)) return declared
  const open = (axis: number): Dim => namedDim(`${name}.${axis}`)
  const changes = (d: Dim, axis: number) =>
    !dimEquals(d, next.shape[axis]!) && typeof declared?.shape[axis] !== 'number' && !dimEquals(d, open(axis))
  if (!now.shape.some(changes)) return now
  return { ...now, shape: now.shape.map((d, axis) => (changes(d, axis) ? open(axis) : d)) }
}
