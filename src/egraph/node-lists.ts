// Who belongs where: the nodes of each class and of each operator family, as intrusive lists, and the state of a node.
// Dead nodes stay in the lists until somebody walks past them.
import { grown } from './columns.ts'

/** Merged into an equal node. */
export const DEAD = 0
/** In its class. */
export const LIVE = 1
/** Known to the hashcons and to congruence only: not matched, counted or extracted. */
export const PRUNED = 2

export class NodeLists {
  state: Uint8Array
  /** Circular lists. A class's own number stays in its list even when that node is dead: it is the way in. */
  private nextInClass: Int32Array
  private nextInFamily: Int32Array
  private familyHead = new Int32Array(64).fill(-1)

  constructor(capacity: number) {
    this.state = new Uint8Array(capacity)
    this.nextInClass = new Int32Array(capacity)
    this.nextInFamily = new Int32Array(capacity)
  }

  grow(capacity: number): void {
    this.nextInClass = grown(this.nextInClass, capacity)
    this.nextInFamily = grown(this.nextInFamily, capacity)
    const state = new Uint8Array(capacity)
    state.set(this.state)
    this.state = state
  }

  /** A live node alone in the class of its own number. */
  enter(n: number, family: number): void {
    this.state[n] = LIVE
    this.nextInClass[n] = n
    if (family >= this.familyHead.length)
      this.familyHead = grown(this.familyHead, Math.max(family + 1, this.familyHead.length * 2), -1)
    this.nextInFamily[n] = this.familyHead[family]!
    this.familyHead[family] = n
  }

  /** Joins the lists of two classes. */
  join(winner: number, loser: number): void {
    const next = this.nextInClass[winner]!
    this.nextInClass[winner] = this.nextInClass[loser]!
    this.nextInClass[loser] = next
  }

  /** The live nodes of the class whose canonical number is `root`. */
  ofClass(root: number): number[] {
    const { state, nextInClass } = this
    const out: number[] = []
    if (state[root] === LIVE) out.push(root)
    let previous = root
    for (let n = nextInClass[root]!; n !== root; n = nextInClass[previous]!) {
      if (state[n] === DEAD) {
        nextInClass[previous] = nextInClass[n]!
        continue
      }
      if (state[n] === LIVE) out.push(n)
      previous = n
    }
    return out
  }

  /** The live nodes of the family, oldest first. */
  ofFamily(family: number): number[] {
    const out: number[] = []
    let previous = -1
    for (let n = this.familyHead[family] ?? -1; n >= 0; n = this.nextInFamily[n]!) {
      if (this.state[n] === DEAD) {
        if (previous < 0) this.familyHead[family] = this.nextInFamily[n]!
        else this.nextInFamily[previous] = this.nextInFamily[n]!
        continue
      }
      if (this.state[n] === LIVE) out.push(n)
      previous = n
    }
    return out.reverse()
  }
}
