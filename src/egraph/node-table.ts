// The e-nodes, in typed arrays, and the hashcons over them: a power-of-two table of node number + 1 with linear probing and
// tombstones. Up to three children live beside the operator; more live in a pool, and then child0 is the offset, child1
// the mark WIDE. Children are stored as given: whoever stores them canonicalises them first.
import { grown, INITIAL_CAPACITY } from './columns.ts'
import type { UnionFind } from './union-find.ts'

/** In child1: this node has more than three children, which lie in the pool. Never equal to a child or to -1 (none). */
const WIDE = -2
const TOMBSTONE = -1
const MAX_LOAD = 0.6
/** More children than any operator has; the arity column is 16 bits wide. */
export const MAX_ARITY = 0xffff

function hashNarrow(op: number, a: number, b: number, c: number): number {
  let h = Math.imul(op + 1, 0x9e3779b1)
  h = Math.imul(h ^ a, 0x85ebca6b)
  h ^= h >>> 15
  h = Math.imul(h ^ b, 0xc2b2ae35)
  h ^= h >>> 13
  h = Math.imul(h ^ c, 0x27d4eb2f)
  return h ^ (h >>> 16)
}

function hashWide(op: number, children: ArrayLike<number>, from: number, arity: number): number {
  let h = Math.imul(op + 1, 0x9e3779b1) ^ arity
  for (let i = 0; i < arity; i++) {
    h = Math.imul(h ^ children[from + i]!, 0x85ebca6b)
    h ^= h >>> 15
  }
  return h ^ (h >>> 16)
}

export class NodeTable {
  /** Per node: operator, child0, child1, child2. Together, because a search in the hashcons compares all four. */
  cells = new Int32Array(INITIAL_CAPACITY * 4)
  arity = new Uint16Array(INITIAL_CAPACITY)
  pool = new Int32Array(INITIAL_CAPACITY)
  /** Nodes ever stored, removed ones included. */
  length = 0
  private poolLength = 0
  private slots = new Int32Array(INITIAL_CAPACITY * 2)
  private mask = INITIAL_CAPACITY * 2 - 1
  /** Slots that are not empty, tombstones included. */
  private used = 0
  /** Slots that hold a node. */
  private filled = 0
  /** Where the last failed search would insert. */
  private freeSlot = 0

  get capacity(): number {
    return this.arity.length
  }

  /** The node with this operator and at most three children (-1: none), or -1. */
  findNarrow(op: number, a: number, b: number, c: number): number {
    const { slots, mask, cells } = this
    let free = -1
    for (let i = hashNarrow(op, a, b, c) & mask; ; i = (i + 1) & mask) {
      const entry = slots[i]!
      if (entry > 0) {
        const at = (entry - 1) << 2
        if (cells[at + 1] === a && cells[at + 2] === b && cells[at] === op && cells[at + 3] === c) return entry - 1
      } else if (entry === 0) {
        this.freeSlot = free < 0 ? i : free
        return -1
      } else if (free < 0) free = i
    }
  }

  /** The node with this operator and these more than three children, or -1. */
  findWide(op: number, children: ArrayLike<number>, arity: number): number {
    const { slots, mask } = this
    let free = -1
    for (let i = hashWide(op, children, 0, arity) & mask; ; i = (i + 1) & mask) {
      const entry = slots[i]!
      if (entry > 0) {
        if (this.equalsWide(entry - 1, op, children, arity)) return entry - 1
      } else if (entry === 0) {
        this.freeSlot = free < 0 ? i : free
        return -1
      } else if (free < 0) free = i
    }
  }

  /** The node with this operator and these children, however many, or -1. */
  find(op: number, children: ArrayLike<number>): number {
    const { length } = children
    if (length > 3) return this.findWide(op, children, length)
    const [a, b, c] = [children[0] ?? -1, children[1] ?? -1, children[2] ?? -1]
    return this.findNarrow(op, a, b, c)
  }

  /** Appends a node right after `findNarrow` failed for the same arguments. */
  appendNarrow(op: number, a: number, b: number, c: number, arity: number): number {
    const n = this.allocate(op, a, b, c, arity)
    this.occupyFreeSlot(n)
    return n
  }

  /** Appends a node right after `findWide` failed for the same arguments. */
  appendWide(op: number, children: ArrayLike<number>, arity: number): number {
    const n = this.allocate(op, this.poolLength, WIDE, -1, arity)
    if (this.poolLength + arity > this.pool.length)
      this.pool = grown(this.pool, Math.max(this.pool.length * 2, this.poolLength + arity))
    for (let i = 0; i < arity; i++) this.pool[this.poolLength + i] = children[i]!
    this.poolLength += arity
    this.occupyFreeSlot(n)
    return n
  }

  opOf(n: number): number {
    return this.cells[n << 2]!
  }

  childAt(n: number, i: number): number {
    const at = n << 2
    return this.cells[at + 2] === WIDE ? this.pool[this.cells[at + 1]! + i]! : this.cells[at + 1 + i]!
  }

  /** The children's classes, as `sets` joins them. */
  children(n: number, sets: UnionFind): number[] {
    const children = new Array<number>(this.arity[n]!)
    for (let i = 0; i < children.length; i++) children[i] = sets.find(this.childAt(n, i))
    return children
  }

  isWide(n: number): boolean {
    return this.cells[(n << 2) + 2] === WIDE
  }

  /** Takes the node out of the hashcons, so that its children may be changed in place. It must be in there. */
  remove(n: number): void {
    this.slots[this.slotOf(n)] = TOMBSTONE
    this.filled--
  }

  /** Puts a node that is not in the table in the place of an equal one. */
  replace(twin: number, n: number): void {
    this.slots[this.slotOf(twin)] = n + 1
  }

  /** Puts the node back under its present children. Returns the equal node that is there already, or -1. */
  reinsert(n: number): number {
    const arity = this.arity[n]!
    const { cells } = this
    const at = n << 2
    const twin = this.isWide(n)
      ? this.findWide(cells[at]!, this.pool.subarray(cells[at + 1]!, cells[at + 1]! + arity), arity)
      : this.findNarrow(cells[at]!, cells[at + 1]!, cells[at + 2]!, cells[at + 3]!)
    if (twin < 0) this.occupyFreeSlot(n)
    return twin
  }

  /** True if a child lost its number in a union. */
  hasStaleChild(n: number, sets: UnionFind): boolean {
    const arity = this.arity[n]!
    for (let i = 0; i < arity; i++) if (!sets.isRoot(this.childAt(n, i))) return true
    return false
  }

  /** Replaces the children by their canonical numbers. The node must be out of the hashcons. */
  canonicalise(n: number, sets: UnionFind): void {
    const arity = this.arity[n]!
    if (this.isWide(n)) {
      const from = this.cells[(n << 2) + 1]!
      for (let i = from; i < from + arity; i++) this.pool[i] = sets.find(this.pool[i]!)
      return
    }
    const at = (n << 2) + 1
    for (let i = at; i < at + arity; i++) this.cells[i] = sets.find(this.cells[i]!)
  }

  private hashOf(n: number): number {
    const { cells } = this
    const at = n << 2
    if (this.isWide(n)) return hashWide(cells[at]!, this.pool, cells[at + 1]!, this.arity[n]!)
    return hashNarrow(cells[at]!, cells[at + 1]!, cells[at + 2]!, cells[at + 3]!)
  }

  private equalsWide(n: number, op: number, children: ArrayLike<number>, arity: number): boolean {
    if (this.opOf(n) !== op || !this.isWide(n) || this.arity[n] !== arity) return false
    const from = this.cells[(n << 2) + 1]!
    for (let i = 0; i < arity; i++) if (this.pool[from + i] !== children[i]) return false
    return true
  }

  private allocate(op: number, child0: number, child1: number, child2: number, arity: number): number {
    if (this.length === this.arity.length) this.grow(this.length * 2)
    const n = this.length++
    const at = n << 2
    this.cells[at] = op
    this.cells[at + 1] = child0
    this.cells[at + 2] = child1
    this.cells[at + 3] = child2
    this.arity[n] = arity
    return n
  }

  private grow(capacity: number): void {
    this.cells = grown(this.cells, capacity * 4)
    const arity = new Uint16Array(capacity)
    arity.set(this.arity)
    this.arity = arity
  }

  private slotOf(n: number): number {
    const { slots, mask } = this
    let i = this.hashOf(n) & mask
    while (slots[i] !== n + 1) i = (i + 1) & mask
    return i
  }

  private occupyFreeSlot(n: number): void {
    if (this.slots[this.freeSlot] === 0) this.used++
    this.slots[this.freeSlot] = n + 1
    this.filled++
    if (this.used > this.slots.length * MAX_LOAD) this.rehash()
  }

  /** Drops the tombstones; twice the slots if it is the nodes that fill them. */
  private rehash(): void {
    const old = this.slots
    const size = this.filled > old.length * (MAX_LOAD / 2) ? old.length * 2 : old.length
    const slots = new Int32Array(size)
    const mask = size - 1
    for (let s = 0; s < old.length; s++) {
      const entry = old[s]!
      if (entry <= 0) continue
      let i = this.hashOf(entry - 1) & mask
      while (slots[i] !== 0) i = (i + 1) & mask
      slots[i] = entry
    }
    this.slots = slots
    this.mask = mask
    this.used = this.filled
  }
}
