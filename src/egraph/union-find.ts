// Disjoint sets over 0 .. n - 1, with path halving. Who becomes the root is the caller's choice.
import { grown } from './columns.ts'

export class UnionFind {
  parent: Int32Array

  constructor(capacity: number) {
    this.parent = new Int32Array(capacity)
  }

  /** Makes `x` a set of its own. */
  enter(x: number): void {
    this.parent[x] = x
  }

  find(x: number): number {
    const parent = this.parent
    let at = x
    for (;;) {
      const p = parent[at]!
      if (p === at) return at
      const q = parent[p]!
      parent[at] = q
      at = q
    }
  }

  isRoot(x: number): boolean {
    return this.parent[x] === x
  }

  grow(capacity: number): void {
    this.parent = grown(this.parent, capacity)
  }
}
