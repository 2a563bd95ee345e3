// The frozen e-graph, per operator, for matching: its e-nodes as rows of columns, sorted by class, with the first row of
// each class; and where a join needs it, the rows sorted by a child. Rebuilt by counting sort at each search.
import { grown } from './columns.ts'
import type { EGraph } from './egraph.ts'
import type { NodeId, OpId } from './ids.ts'
import type { Query } from './query.ts'

/** Rows sorted by a child column: `order[start[c]] ..` are the rows with class c in that column. */
export interface ChildIndex {
  readonly start: Int32Array
  readonly order: Int32Array
}

export interface OperatorRows {
  readonly count: number
  readonly node: Int32Array
  readonly cls: Int32Array
  readonly columns: readonly Int32Array[]
  /** Generation in which the row last changed: its node, its children or its class. */
  readonly stamp: Int32Array
  /** Rows start[c] .. start[c + 1] - 1 are those of class c; null where nobody asked for it. */
  readonly start: Int32Array | null
  readonly byChild: readonly (ChildIndex | null)[]
}

interface Demand {
  readonly op: OpId
  readonly arity: number
  byClass: boolean
  readonly byChild: Set<number>
}

/** Rows of the operators that some queries need, by operator and arity. */
export class OperatorIndex {
  private readonly demands: Demand[] = []
  private readonly rows: OperatorRows[] = []
  private builtAt = -1
  /** The class of each node at the last build, and since when. */
  private seenClass = new Int32Array()
  private seenSince = new Int32Array()

  /** Says what a query needs; returns the number of the rows of each of its steps. */
  demand(query: Query): number[] {
    return query.steps.map(({ atom, access }) => {
      const slot = this.slotFor(atom.op, atom.children.length)
      if (access.kind === 'class') this.demands[slot]!.byClass = true
      if (access.kind === 'child') this.demands[slot]!.byChild.add(access.column)
      return slot
    })
  }

  /** The rows with this number, as of the last `build`. */
  rowsOf(slot: number): OperatorRows {
    return this.rows[slot]!
  }

  /** Reads the e-graph, unless nothing changed since the last time. It must be clean. */
  build<P>(egraph: EGraph<P>): void {
    if (this.builtAt === egraph.changeCount && this.rows.length === this.demands.length) return
    this.builtAt = egraph.changeCount
    const slotsOfOp = new Map<number, number[]>()
    this.demands.forEach(({ op }, slot) => {
      slotsOfOp.set(op, [...(slotsOfOp.get(op) ?? []), slot])
    })
    const members = this.demands.map(() => ({ nodes: new Int32Array(64), count: 0 }))
    const single = new Int32Array(egraph.operators.size).fill(-1)
    for (const [op, slots] of slotsOfOp) single[op] = slots[0]!
    const { table } = egraph
    for (let n = 0; n < egraph.idLimit; n++) {
      if (single[table.opOf(n)]! < 0 || !egraph.isLive(n as NodeId)) continue
      for (const slot of slotsOfOp.get(table.opOf(n))!) {
        if (table.arity[n] !== this.demands[slot]!.arity) continue
        const list = members[slot]!
        if (list.count === list.nodes.length) {
          const wider = new Int32Array(list.count * 2)
          wider.set(list.nodes)
          list.nodes = wider
        }
        list.nodes[list.count++] = n
      }
    }
    this.growSeen(egraph.idLimit)
    members.forEach(({ nodes, count }, slot) => {
      this.rows[slot] = createRows(egraph, this.demands[slot]!, nodes.subarray(0, count), this.stampOf(egraph))
    })
  }

  /** Whatever moved a node to another class happened before the present generation. */
  private stampOf<P>(egraph: EGraph<P>): (n: number, c: number) => number {
    const before = egraph.generation - 1
    return (n, c) => {
      if (this.seenClass[n] !== c) {
        this.seenClass[n] = c
        this.seenSince[n] = before
      }
      return Math.max(this.seenSince[n]!, egraph.nodeGeneration(n))
    }
  }

  private growSeen(limit: number): void {
    if (limit <= this.seenClass.length) return
    const capacity = Math.max(limit, this.seenClass.length * 2)
    this.seenClass = grown(this.seenClass, capacity, -1)
    this.seenSince = grown(this.seenSince, capacity)
  }

  private slotFor(op: OpId, arity: number): number {
    const known = this.demands.findIndex((d) => d.op === op && d.arity === arity)
    if (known >= 0) return known
    return this.demands.push({ op, arity, byClass: false, byChild: new Set() }) - 1
  }
}

function createRows<P>(
  egraph: EGraph<P>,
  demand: Demand,
  nodes: Int32Array,
  stampOf: (n: number, c: number) => number,
): OperatorRows {
  const classOf = new Int32Array(nodes.length)
  for (let i = 0; i < nodes.length; i++) classOf[i] = egraph.find(nodes[i]!)
  const { start, order } = countingSort(classOf, egraph.idLimit)
  const node = new Int32Array(nodes.length)
  const cls = new Int32Array(nodes.length)
  const stamp = new Int32Array(nodes.length)
  for (let r = 0; r < nodes.length; r++) {
    node[r] = nodes[order[r]!]!
    cls[r] = classOf[order[r]!]!
    stamp[r] = stampOf(node[r]!, cls[r]!)
  }
  const columns = Array.from({ length: demand.arity }, (_, i) => childColumn(egraph, node, i))
  const byChild = columns.map((column, i) => (demand.byChild.has(i) ? countingSort(column, egraph.idLimit) : null))
  return { count: nodes.length, node, cls, columns, stamp, start: demand.byClass ? start : null, byChild }
}

function childColumn<P>(egraph: EGraph<P>, nodes: Int32Array, i: number): Int32Array {
  const { table } = egraph
  const column = new Int32Array(nodes.length)
  for (let r = 0; r < nodes.length; r++) column[r] = table.childAt(nodes[r]!, i)
  return column
}

/** Positions 0 .. length - 1 sorted by key (stable), and for each key below `limit` where its positions start. */
function countingSort(keys: Int32Array, limit: number): ChildIndex {
  const start = new Int32Array(limit + 1)
  for (let i = 0; i < keys.length; i++) start[keys[i]! + 1]!++
  for (let key = 0; key < limit; key++) start[key + 1]! += start[key]!
  const next = start.slice()
  const order = new Int32Array(keys.length)
  for (let i = 0; i < keys.length; i++) order[next[keys[i]!]!++] = i
  return { start, order }
}
