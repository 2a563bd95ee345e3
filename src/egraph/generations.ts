// When things last changed, counted in generations (one per iteration of saturation). What rules read to skip the rest.
import { grown } from './columns.ts'

export class Generations {
  now = 0
  /** Of a class: gained nodes, a child of one of its nodes merged away, or its data or that of a child changed. */
  classes: Int32Array
  /** Of a node: made, or got other children by a union. */
  nodes: Int32Array

  constructor(capacity: number) {
    this.classes = new Int32Array(capacity)
    this.nodes = new Int32Array(capacity)
  }

  enter(n: number): void {
    this.classes[n] = this.now
    this.nodes[n] = this.now
  }

  touch(c: number): void {
    this.classes[c] = this.now
  }

  grow(capacity: number): void {
    this.classes = grown(this.classes, capacity)
    this.nodes = grown(this.nodes, capacity)
  }
}
