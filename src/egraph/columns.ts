// Growable storage on typed arrays: a doubling copy, and a stack of integers.

/** Of the columns of an e-graph. Small: most e-graphs of tests and of subgraphs hold few e-nodes. */
export const INITIAL_CAPACITY = 128

/** A longer copy of `column`; the new part is filled with `fill`. */
export function grown(column: Int32Array, capacity: number, fill = 0): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(capacity)
  wider.set(column)
  if (fill !== 0) wider.fill(fill, column.length)
  return wider
}

/** A stack of integers that never allocates once it is as large as it gets. */
export class IntStack {
  values: Int32Array
  length = 0

  constructor(capacity = 256) {
    this.values = new Int32Array(capacity)
  }

  push(value: number): void {
    if (this.length === this.values.length) this.values = grown(this.values, this.length * 2)
    this.values[this.length++] = value
  }

  /** The last value pushed. The stack must not be empty. */
  pop(): number {
    return this.values[--this.length]!
  }
}
