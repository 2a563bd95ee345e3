// Resizes are searched as of the axes that change alone, so that they move along the others; they are written as of all axes.
import type { ClassId } from '../egraph/egraph.ts'
import { getInts, getText } from '../ir/attribute.ts'
import { type Tensor, tensor } from '../ir/tensor.ts'
import type { TensorEGraph } from './tensor-egraph.ts'
import type { OnnxOp } from './tensor-op.ts'

export interface WholeResize {
  readonly op: OnnxOp
  readonly given: Tensor
}

/** A resize of some axes as one of all, for which runtimes have faster kernels: the operator without `axes`, and its scales or
 * sizes. null where it names all axes, or a size is no number. */
export function wholeResize(t: TensorEGraph, op: OnnxOp, children: readonly ClassId[]): WholeResize | null {
  const axes = getInts(op.attributes, 'axes', null)
  const [x, given] = children
  const id = given === undefined ? null : t.constantOf(given)
  const isStretched = getText(op.attributes, 'keep_aspect_ratio_policy', 'stretch') === 'stretch'
  if (!axes || id === null || children.length !== 2 || axes.some((a) => a < 0) || !isStretched) return null
  const numbers = t.constants.array(id)
  const byScales = op.present[2] === true
  const all = t.shape(x!).map((d, i) => (axes.includes(i) ? numbers.data[axes.indexOf(i)]! : byScales ? 1 : d))
  if (!all.every((d) => typeof d === 'number')) return null
  const { axes: _, ...attributes } = op.attributes
  return { op: { ...op, attributes }, given: tensor(numbers.dtype, [all.length], all) }
}
