// Derivations: which rule, firing on which node, first made each node. Two columns.
import { grown } from './columns.ts'

export class Origins {
  rule: Int32Array
  source: Int32Array
  currentRule = -1
  currentSource = -1

  constructor(capacity: number) {
    this.rule = new Int32Array(capacity)
    this.source = new Int32Array(capacity)
  }

  set(rule: number, source: number): void {
    this.currentRule = rule
    this.currentSource = source
  }

  enter(n: number): void {
    this.rule[n] = this.currentRule
    this.source[n] = this.currentSource
  }

  grow(capacity: number): void {
    this.rule = grown(this.rule, capacity)
    this.source = grown(this.source, capacity)
  }
}
