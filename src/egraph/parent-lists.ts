// Per class, the nodes that have it as a child: singly linked lists in one arena, so that a union joins two lists in
// constant time. A list may name a node twice or name a dead one; whoever walks it skips and unlinks those.
import { grown, INITIAL_CAPACITY, type IntStack } from './columns.ts'
import { DEAD } from './node-lists.ts'

export class ParentLists {
  head = new Int32Array(INITIAL_CAPACITY).fill(-1)
  tail = new Int32Array(INITIAL_CAPACITY).fill(-1)
  /** Entries in the class's list: an upper bound on its parents. */
  count = new Int32Array(INITIAL_CAPACITY)
  entryNode = new Int32Array(INITIAL_CAPACITY)
  entryNext = new Int32Array(INITIAL_CAPACITY)
  /** When a walk last saw the node. */
  private mark = new Int32Array(INITIAL_CAPACITY)
  private epoch = 0
  private entries = 0
  private freeEntry = -1

  grow(capacity: number): void {
    this.head = grown(this.head, capacity, -1)
    this.tail = grown(this.tail, capacity, -1)
    this.count = grown(this.count, capacity)
    this.mark = grown(this.mark, capacity)
  }

  add(cls: number, node: number): void {
    const e = this.allocate()
    this.entryNode[e] = node
    this.entryNext[e] = -1
    const tail = this.tail[cls]!
    if (tail < 0) this.head[cls] = e
    else this.entryNext[tail] = e
    this.tail[cls] = e
    this.count[cls] = this.count[cls]! + 1
  }

  /** Moves all of `loser`'s list to the end of `winner`'s. */
  join(winner: number, loser: number): void {
    const from = this.head[loser]!
    if (from < 0) return
    const tail = this.tail[winner]!
    if (tail < 0) this.head[winner] = from
    else this.entryNext[tail] = from
    this.tail[winner] = this.tail[loser]!
    this.count[winner] = this.count[winner]! + this.count[loser]!
    this.head[loser] = -1
    this.tail[loser] = -1
    this.count[loser] = 0
  }

  /** Pushes the class's parents onto `onto`, the dead ones excepted; may push one twice. */
  collect(cls: number, state: Uint8Array, onto: IntStack): void {
    let previous = -1
    for (let e = this.head[cls]!; e >= 0; ) {
      const n = this.entryNode[e]!
      if (state[n] === DEAD) {
        e = this.unlink(cls, previous, e)
        continue
      }
      onto.push(n)
      previous = e
      e = this.entryNext[e]!
    }
  }

  /** Calls `visit` for each parent that is not dead, once. `visit` must not change the e-graph. */
  each(cls: number, state: Uint8Array, visit: (n: number) => void): void {
    const epoch = ++this.epoch
    let previous = -1
    for (let e = this.head[cls]!; e >= 0; ) {
      const n = this.entryNode[e]!
      if (state[n] === DEAD || this.mark[n] === epoch) {
        e = this.unlink(cls, previous, e)
        continue
      }
      this.mark[n] = epoch
      visit(n)
      previous = e
      e = this.entryNext[e]!
    }
  }

  /** Takes entry `e` out of the class's list; `previous` is the entry before it, or -1. Returns the entry after it. */
  private unlink(cls: number, previous: number, e: number): number {
    const next = this.entryNext[e]!
    if (previous < 0) this.head[cls] = next
    else this.entryNext[previous] = next
    if (next < 0) this.tail[cls] = previous
    this.count[cls] = this.count[cls]! - 1
    this.entryNext[e] = this.freeEntry
    this.freeEntry = e
    return next
  }

  private allocate(): number {
    if (this.freeEntry >= 0) {
      const e = this.freeEntry
      this.freeEntry = this.entryNext[e]!
      return e
    }
    if (this.entries === this.entryNode.length) {
      this.entryNode = grown(this.entryNode, this.entries * 2)
      this.entryNext = grown(this.entryNext, this.entries * 2)
    }
    return this.entries++
  }
}
