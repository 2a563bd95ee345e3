// Resizes are searched as of the axes that change alone, so that they move along the others; they are written as of all axes.
import type { ClassId } from '../egraph/egraph.ts'
import { getInts, getText } from '../ir/attribute.ts'
import type { Dim } from '../ir/dim.ts'
import { type Tensor, tensor } from '../ir/tensor.ts'
import type { TensorEGraph } from './tensor-egraph.ts'
import type { OnnxOp } from './tensor-op.ts'

export interface WholeResize {
  readonly op: OnnxOp
  readonly given: Tensor
}

/** A resize of some axes as one of all, for which runtimes have faster kernels: the operator without `axes`, and its scales or
 * sizes. Where another axis is open, scales that come to the same sizes. null where it names all axes, or there are none. */
export function wholeResize(t: TensorEGraph, op: OnnxOp, children: readonly ClassId[]): WholeResize | null {
  const axes = getInts(op.attributes, 'axes', null)
  const [x, given] = children
  const id = given === undefined ? null : t.constantOf(given)
  const isStretched = getText(op.attributes, 'keep_aspect_ratio_policy', 'stretch') === 'stretch'
  if (!axes || id === null || children.length !== 2 || axes.some((a) => a < 0) || !isStretched) return null
  const { axes: _, ...attributes } = op.attributes
  const shape = t.shape(x!)
  const numbers = t.constants.array(id).data
  const wanted = shape.map((_, axis) => (axes.includes(axis) ? numbers[axes.indexOf(axis)]! : null))
  if (op.present[2])
    return written(
      'float32',
      { ...op, attributes },
      wanted.map((s) => s ?? 1),
    )
  const sizes = shape.map((d, axis) => wanted[axis] ?? d)
  if (sizes.every((d) => typeof d === 'number')) return written('int64', { ...op, attributes }, sizes)
  const scales = shape.map((d, axis) => (wanted[axis] === null ? 1 : scaleTo(d, wanted[axis]!)))
  const byScales = { ...op, attributes, present: [true, false, true] }
  return scales.every((s) => s !== null) ? written('float32', byScales, scales) : null
}

const written = (dtype: 'float32' | 'int64', op: OnnxOp, given: readonly number[]): WholeResize => ({
  op,
  given: tensor(dtype, [given.length], given),
})

/** The scale in float32 that makes `size` of a dimension, or null. */
function scaleTo(d: Dim, size: number): number | null {
  if (typeof d !== 'number') return null
  const scale = Math.fround(size / d)
  return Math.floor(Math.fround(scale * d)) === size ? scale : null
}
