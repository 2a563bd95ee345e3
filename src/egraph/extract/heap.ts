// A binary heap of (priority, item), smallest priority first; ties by the smaller item, so that results do not depend on
// the order of insertion.

export class Heap {
  private priorities = new Float64Array(64)
  private items = new Int32Array(64)
  size = 0

  clear(): void {
    this.size = 0
  }

  push(priority: number, item: number): void {
    if (this.size === this.items.length) this.grow()
    let at = this.size++
    while (at > 0) {
      const up = (at - 1) >> 1
      if (!this.before(priority, item, up)) break
      this.priorities[at] = this.priorities[up]!
      this.items[at] = this.items[up]!
      at = up
    }
    this.priorities[at] = priority
    this.items[at] = item
  }

  /** Takes out the first item. The heap must not be empty. */
  pop(): number {
    const first = this.items[0]!
    const last = --this.size
    const priority = this.priorities[last]!
    const item = this.items[last]!
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      if (down >= last) break
      if (down + 1 < last && this.before(this.priorities[down + 1]!, this.items[down + 1]!, down)) down++
      if (this.before(priority, item, down)) break
      this.priorities[at] = this.priorities[down]!
      this.items[at] = this.items[down]!
      at = down
    }
    this.priorities[at] = priority
    this.items[at] = item
    return first
  }

  private before(priority: number, item: number, at: number): boolean {
    const other = this.priorities[at]!
    return priority < other || (priority === other && item < this.items[at]!)
  }

  private grow(): void {
    const priorities = new Float64Array(this.items.length * 2)
    priorities.set(this.priorities)
    this.priorities = priorities
    const items = new Int32Array(this.items.length * 2)
    items.set(this.items)
    this.items = items
  }
}
