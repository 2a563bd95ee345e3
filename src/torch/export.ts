// ir Graph -> FX graph and the weights it reads. Throws UnsupportedError that names the first operator, mode or shape that
// PyTorch has no exact equal for.
import { UnsupportedError } from '../base/errors.ts'
import { getText } from '../ir/attribute.ts'
import { type Graph, type Node, qualifiedName } from '../ir/graph.ts'
import { inferTypes } from '../ir/infer.ts'
import { findOp } from '../ir/ops/index.ts'
import type { Tensor } from '../ir/tensor.ts'
import { elementWiseEmits } from './export/element-wise.ts'
import { type Emit, type Emits, Emitter, type Naming, where } from './export/emitter.ts'
import { linearEmits } from './export/linear.ts'
import { shapeEmits } from './export/shapes.ts'
import { type FxGraph, tuple } from './fx-graph.ts'
import { TORCH_DOMAIN } from './import.ts'

export interface TorchProgram {
  readonly graph: FxGraph
  /** Buffers by attribute name. */
  readonly weights: ReadonlyMap<string, Tensor>
}

const emits: Emits = { ...elementWiseEmits, ...shapeEmits, ...linearEmits }

/** `naming`: see Naming; default `values`. */
export function exportFx(graph: Graph, options: { readonly naming?: Naming } = {}): TorchProgram {
  const typed = inferTypes(graph)
  const emitter = new Emitter(typed, options.naming ?? 'values')
  for (const input of typed.inputs) if (!typed.initializers.has(input)) emitter.placeholder(input)
  for (const n of typed.nodes) emitter.emit(n, findEmit(n))
  const results = typed.outputs.map((v) => emitter.value(v))
  const result = results.length === 1 ? results[0]! : tuple(results)
  return { graph: { nodes: emitter.nodes, result, usersLabel: 'num_users' }, weights: emitter.weights }
}

function findEmit(n: Node): Emit {
  if (n.domain === TORCH_DOMAIN && n.op === 'call_module') return emitModule
  const known = n.domain === '' || n.domain === 'ai.onnx'
  if (known && Object.hasOwn(emits, n.op)) return emits[n.op]!
  const op = findOp(n.domain, n.op)
  // Only element by element is "the operands in order" sure to mean the same in PyTorch.
  const spelling = op?.elementwise ? op.torch : undefined
  if (!spelling) throw new UnsupportedError(`operator ${qualifiedName(n.domain, n.op)} in PyTorch`)
  return emitSpelled(spelling.target)
}

const emitModule: Emit = (e, n) =>
  e.module(
    getText(n.attributes, 'target', ''),
    n.inputs.map((_, i) => e.tensor(n, i)),
  )

/** The record's own spelling: operands in order. A record whose attributes change its meaning has an emitter instead. */
function emitSpelled(target: string): Emit {
  return (e, n) => {
    if (Object.keys(n.attributes).length > 0) throw new UnsupportedError(`${where(n)} with attributes, in PyTorch`)
    const operands = n.inputs.map((_, i) => e.tensor(n, i))
    return target.startsWith('.') ? e.method(target.slice(1), operands) : e.call(target, operands)
  }
}
