// The decisions of a generator, as a list: drawn from a seed and remembered, or read from a list that was made smaller. Where
// a list ends, everything is 0, and 0 is always the simplest choice; so a shorter list of smaller numbers is a simpler case.
import type { Random } from '../../../src/base/random.ts'

export class Choices {
  readonly taken: number[] = []
  private readonly source: Random | readonly number[]

  constructor(source: Random | readonly number[]) {
    this.source = source
  }

  /** From 0 to n - 1. */
  below(n: number): number {
    const drawn = 'below' in this.source ? this.source.below(n) : (this.source[this.taken.length] ?? 0) % n
    this.taken.push(drawn)
    return drawn
  }

  /** True once in `count`. */
  rarely(count: number): boolean {
    return this.below(count) === count - 1
  }

  /** The first is the simplest. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  /** 0 to n - 1 in some order; the simplest is as they are. */
  permutation(n: number): number[] {
    const order = Array.from({ length: n }, (_, i) => i)
    for (let i = 0; i < n - 1; i++) {
      const j = i + this.below(n - i)
      ;[order[i], order[j]] = [order[j]!, order[i]!]
    }
    return order
  }
}
