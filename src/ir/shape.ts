// Shapes: lists of dimensions, and their broadcasting (NumPy and ONNX rules).
import { type Bindings, type Dim, dimEquals, dimKey, evaluateDim, maxDims, mulDims } from './dim.ts'

export type Shape = readonly Dim[]
export type ConcreteShape = readonly number[]

export function isConcrete(shape: Shape): shape is ConcreteShape {
  return shape.every((d) => typeof d === 'number')
}

/** Number of elements; 1 for a scalar. */
export function elementCount(shape: ConcreteShape): number {
  return shape.reduce((product, d) => product * d, 1)
}

/** Number of elements as a dimension. */
export function elementCountDim(shape: Shape): Dim {
  return shape.reduce<Dim>(mulDims, 1)
}

export function shapeEquals(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => dimEquals(d, b[i]!))
}

/** `[batch,3,224]` */
export function shapeText(shape: Shape): string {
  return `[${shape.map(dimKey).join(',')}]`
}

/** Numbers for a shape, or null if a name is unbound. */
export function evaluateShape(shape: Shape, bindings: Bindings): ConcreteShape | null {
  const out: number[] = []
  for (const d of shape) {
    const n = evaluateDim(d, bindings)
    if (n === null) return null
    out.push(n)
  }
  return out
}

/** Common shape of two dimensions under broadcasting, or null if they clash. */
function broadcastDim(a: Dim, b: Dim): Dim | null {
  if (dimEquals(a, b) || b === 1) return a
  if (a === 1) return b
  // A fixed size against an unknown one: the result is the fixed size, or the graph is invalid.
  if (typeof a === 'number' && typeof b !== 'number') return a
  if (typeof b === 'number' && typeof a !== 'number') return b
  // Two unknown sizes: equal, or one of them is 1; in a valid graph the larger one either way.
  if (typeof a !== 'number' && typeof b !== 'number') return maxDims(a, b)
  return null
}

/** Shape of an element-wise operation over these shapes, or null if they do not broadcast. */
export function broadcastShapes(...shapes: readonly Shape[]): Shape | null {
  const rank = Math.max(0, ...shapes.map((s) => s.length))
  const out: Dim[] = []
  for (let axis = 0; axis < rank; axis++) {
    let dim: Dim | null = 1
    for (const s of shapes) {
      const at = axis - (rank - s.length)
      if (at >= 0 && dim !== null) dim = broadcastDim(dim, s[at]!)
    }
    if (dim === null) return null
    out.push(dim)
  }
  return out
}

/** Row-major strides, in elements. */
export function stridesOf(shape: ConcreteShape): number[] {
  const strides = new Array<number>(shape.length)
  let step = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step
    step *= shape[i]!
  }
  return strides
}
