// What is rounded later. Rules keep values up to the last bits of a float; an operator that rounds makes whole steps of such bits, as in
// quantised networks, so that two programs that are equal in the reals differ visibly. What leads to one can be kept as it is.
import { isFloat } from '../ir/dtype.ts'
import { type Graph, type Node, producers, type ValueId } from '../ir/graph.ts'
import { inferTypes } from '../ir/infer.ts'

/** Operators whose results jump where their float inputs change a little. */
const ROUNDS: ReadonlySet<string> = new Set([
  'Floor',
  'Ceil',
  'Round',
  'QuantizeLinear',
  'DynamicQuantizeLinear',
  'Mod',
])
/** These read floats as they round them, though they are not of ONNX. */
const ROUNDS_BY_NAME = /Quantize/

/** The nodes, by index, with float results from which something is rounded later, in any number of steps. */
export function beforeRounding(graph: Graph): ReadonlySet<number> {
  const { values, nodes } = inferTypes(graph)
  const made = producers(graph)
  const isReal = (v: ValueId | null): boolean => v !== null && isFloat(values[v]?.type?.dtype ?? 'float32')
  const reached = new Set<number>()
  const queue = nodes.flatMap((node) => (rounds(node, isReal) ? node.inputs.filter((v) => v !== null) : []))
  for (let v = queue.pop(); v !== undefined; v = queue.pop()) {
    const at = made.get(v)
    if (at === undefined || reached.has(at)) continue
    reached.add(at)
    for (const x of nodes[at]!.inputs) if (x !== null) queue.push(x)
  }
  return new Set([...reached].filter((at) => nodes[at]!.outputs.some(isReal)))
}

function rounds({ op, inputs, outputs }: Node, isReal: (v: ValueId | null) => boolean): boolean {
  if (ROUNDS.has(op) || ROUNDS_BY_NAME.test(op)) return inputs.some(isReal)
  return op === 'Cast' && isReal(inputs[0]!) && !isReal(outputs[0]!)
}
