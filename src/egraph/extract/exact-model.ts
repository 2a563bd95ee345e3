// Extraction as a mixed-integer program. Columns: x per node (0 or 1), y per class (0 to 1), and inside a strongly connected
// component a level t per class. Rows:
//   the nodes of class c sum to y(c); y(root) = 1
//   the nodes of c that use class d sum to at most y(d)
//   inside a component: a used edge c -> d needs t(c) >= t(d) + 1 (big-M), and for each y(c) some node of the component
//   whose children all lie outside it must be chosen (a cut, not needed for correctness, that tightens the relaxation)
import type { Problem } from './problem.ts'
import type { Pruned } from './prune.ts'

/** Sparse rows of a mixed-integer program; plain arrays, so that it crosses a thread. */
export interface MipModel {
  readonly cost: readonly number[]
  readonly lower: readonly number[]
  readonly upper: readonly number[]
  /** 1: the column is an integer. */
  readonly integer: readonly number[]
  readonly rowLower: readonly number[]
  readonly rowUpper: readonly number[]
  readonly rowStart: readonly number[]
  readonly columns: readonly number[]
  readonly values: readonly number[]
}

export interface ExactModel {
  readonly mip: MipModel
  /** The node behind each x column; x columns come first. */
  readonly nodes: readonly number[]
  /** Column values of a selection, for a warm start. */
  toColumns(chosen: Int32Array): number[]
  /** The selection that column values make. */
  toSelection(values: ArrayLike<number>): Int32Array
}

class Rows {
  readonly rowLower: number[] = []
  readonly rowUpper: number[] = []
  readonly rowStart: number[] = [0]
  readonly columns: number[] = []
  readonly values: number[] = []

  add(lower: number, upper: number, entries: readonly (readonly [column: number, value: number])[]): void {
    for (const [column, value] of entries) {
      this.columns.push(column)
      this.values.push(value)
    }
    this.rowLower.push(lower)
    this.rowUpper.push(upper)
    this.rowStart.push(this.columns.length)
  }
}

/** The program over the alive nodes. `component` as from `componentsOf` on the same nodes. */
export function createExactModel(problem: Problem, pruned: Pruned, component: Int32Array): ExactModel {
  const nodes = Array.from({ length: problem.nodeCount }, (_, n) => n).filter((n) => pruned.alive[n] === 1)
  const columnOfNode = new Int32Array(problem.nodeCount).fill(-1)
  nodes.forEach((n, i) => {
    columnOfNode[n] = i
  })
  const columnOfClass = (c: number) => nodes.length + c
  const levels = levelColumns(problem, component, nodes.length + problem.classCount)
  const rows = new Rows()
  for (let c = 0; c < problem.classCount; c++) {
    const own = aliveNodes(problem, pruned.alive, c)
    rows.add(0, 0, [...own.map((n) => [columnOfNode[n]!, 1] as const), [columnOfClass(c), -1]])
    for (const [d, users] of usersByChild(problem, own)) {
      const xs = users.map((n) => columnOfNode[n]!)
      rows.add(Number.NEGATIVE_INFINITY, 0, [...xs.map((x) => [x, 1] as const), [columnOfClass(d), -1]])
      const size = levels.sizeOf(c)
      if (component[c] === component[d])
        rows.add(1 - size, Number.POSITIVE_INFINITY, [
          [levels.columnOf(c), 1],
          [levels.columnOf(d), -1],
          ...xs.map((x) => [x, -size] as const),
        ])
    }
  }
  addExitCuts(problem, pruned, component, columnOfNode, columnOfClass, rows)
  const isRoot = new Set(problem.roots)
  const classLower = Array.from({ length: problem.classCount }, (_, c) =>
    isRoot.has(c) || pruned.required.isAlwaysNeeded(c) ? 1 : 0,
  )
  const rest = problem.classCount + levels.count
  return {
    nodes,
    mip: {
      cost: [...nodes.map((n) => problem.cost[n]!), ...new Array<number>(rest).fill(0)],
      lower: [...new Array<number>(nodes.length).fill(0), ...classLower, ...new Array<number>(levels.count).fill(0)],
      upper: [...new Array<number>(nodes.length + problem.classCount).fill(1), ...levels.upper],
      integer: [...new Array<number>(nodes.length).fill(1), ...new Array<number>(rest).fill(0)],
      ...rows,
    },
    toColumns: (chosen) => {
      const values = new Array<number>(nodes.length + rest).fill(0)
      const level = depths(problem, chosen, component)
      for (let c = 0; c < problem.classCount; c++) {
        if (chosen[c]! < 0) continue
        values[columnOfNode[chosen[c]!]!] = 1
        values[columnOfClass(c)] = 1
        if (levels.columnOf(c) >= 0) values[levels.columnOf(c)] = level[c]!
      }
      return values
    },
    toSelection: (values) => {
      const chosen = new Int32Array(problem.classCount).fill(-1)
      nodes.forEach((n, i) => {
        if (values[i]! > 0.5) chosen[problem.classOfNode[n]!] = n
      })
      return chosen
    },
  }
}

function aliveNodes(problem: Problem, alive: Uint8Array, c: number): number[] {
  const out: number[] = []
  for (let n = problem.firstNode[c]!; n < problem.firstNode[c + 1]!; n++) if (alive[n] === 1) out.push(n)
  return out
}

function childrenOf(problem: Problem, n: number): Int32Array {
  return problem.children.subarray(problem.firstChild[n]!, problem.firstChild[n + 1]!)
}

function usersByChild(problem: Problem, own: readonly number[]): Map<number, number[]> {
  const users = new Map<number, number[]>()
  for (const n of own)
    for (const d of new Set(childrenOf(problem, n))) {
      const known = users.get(d)
      if (known) known.push(n)
      else users.set(d, [n])
    }
  return users
}

/** A level column for each class that shares its component with another. */
function levelColumns(problem: Problem, component: Int32Array, first: number) {
  const sizes = new Map<number, number>()
  for (const k of component) sizes.set(k, (sizes.get(k) ?? 0) + 1)
  const sizeOf = (c: number) => sizes.get(component[c]!)!
  const column = new Int32Array(problem.classCount).fill(-1)
  const upper: number[] = []
  for (let c = 0; c < problem.classCount; c++) {
    if (sizeOf(c) === 1) continue
    column[c] = first + upper.length
    upper.push(sizeOf(c) - 1)
  }
  return { count: upper.length, upper, sizeOf, columnOf: (c: number) => column[c]! }
}

function addExitCuts(
  problem: Problem,
  pruned: Pruned,
  component: Int32Array,
  columnOfNode: Int32Array,
  columnOfClass: (c: number) => number,
  rows: Rows,
): void {
  const members = new Map<number, number[]>()
  for (let c = 0; c < problem.classCount; c++) {
    const known = members.get(component[c]!)
    if (known) known.push(c)
    else members.set(component[c]!, [c])
  }
  for (const [k, classes] of members) {
    if (classes.length === 1) continue
    const exits = classes
      .flatMap((c) => aliveNodes(problem, pruned.alive, c))
      .filter((n) => childrenOf(problem, n).every((d) => component[d] !== k))
    const entries = exits.map((n) => [columnOfNode[n]!, 1] as const)
    for (const c of classes) rows.add(0, Number.POSITIVE_INFINITY, [...entries, [columnOfClass(c), -1]])
  }
}

/** Longest path of each chosen class inside its component. */
function depths(problem: Problem, chosen: Int32Array, component: Int32Array): Int32Array {
  const depth = new Int32Array(problem.classCount).fill(-1)
  const stack = Array.from(problem.roots)
  while (stack.length > 0) {
    const c = stack.at(-1)!
    const children = Array.from(childrenOf(problem, chosen[c]!))
    const open = depth[c]! >= 0 ? [] : children.filter((d) => depth[d]! < 0)
    if (open.length > 0) stack.push(...open)
    else {
      stack.pop()
      depth[c] = Math.max(0, ...children.filter((d) => component[d] === component[c]).map((d) => depth[d]! + 1))
    }
  }
  return depth
}
