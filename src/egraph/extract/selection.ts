// A selection: for each class the chosen node, or -1. Its DAG cost counts every class the roots need once.
import { invariant } from '../../base/errors.ts'
import type { ClassId, NodeId } from '../ids.ts'
import { namedChoices, type Problem } from './problem.ts'

/** What every extraction algorithm returns. */
export interface Extraction {
  /** Sum of the chosen nodes' costs, each class once. */
  readonly cost: number
  /** The chosen node of every class that the roots need, children included; acyclic. */
  readonly choices: ReadonlyMap<ClassId, NodeId>
  /** The same by the problem's own numbers; -1: not needed. */
  readonly chosen: Int32Array
  /** No selection costs less. */
  readonly provedOptimal: boolean
  /** No selection costs less than this. Equal to `cost` where that is proved. */
  readonly bound: number
}

/** The extraction that `chosen` makes, restricted to what the roots need. Checks that it is one: complete and acyclic. */
export function toExtraction(problem: Problem, chosen: Int32Array, bound = 0, provedOptimal = false): Extraction {
  const needed = neededPart(problem, chosen)
  const cost = selectionCost(problem, needed)
  return {
    cost,
    choices: namedChoices(problem, needed),
    chosen: needed,
    provedOptimal,
    bound: provedOptimal ? cost : Math.min(bound, cost),
  }
}

/** Sum of the costs of all chosen nodes. */
export function selectionCost(problem: Problem, chosen: Int32Array): number {
  let sum = 0
  for (let c = 0; c < chosen.length; c++) if (chosen[c]! >= 0) sum += problem.cost[chosen[c]!]!
  return sum
}

/** Why the selection is not an answer to the problem, or null. The checker of every algorithm; knows none of them. */
export function faultOf(problem: Problem, chosen: Int32Array): string | null {
  const state = new Uint8Array(problem.classCount)
  const visit = (c: number): string | null => {
    if (state[c] === 2) return null
    if (state[c] === 1) return `class ${c} depends on itself`
    const n = chosen[c]!
    if (n < 0) return `class ${c} is needed and has no chosen node`
    if (problem.classOfNode[n] !== c) return `node ${n} does not belong to class ${c}`
    state[c] = 1
    return null
  }
  for (const root of problem.roots) {
    const stack: number[] = [root]
    while (stack.length > 0) {
      const c = stack.at(-1)!
      if (state[c] !== 0) {
        stack.pop()
        state[c] = 2
        continue
      }
      const fault = visit(c)
      if (fault !== null) return fault
      const n = chosen[c]!
      for (let k = problem.firstChild[n]!; k < problem.firstChild[n + 1]!; k++) {
        const child = problem.children[k]!
        if (state[child] === 1) return `class ${child} depends on itself`
        if (state[child] === 0) stack.push(child)
      }
    }
  }
  return null
}

/** The part of a selection that the roots need. Throws unless it is complete and acyclic. */
export function neededPart(problem: Problem, chosen: Int32Array): Int32Array {
  const fault = faultOf(problem, chosen)
  invariant(fault === null, `extraction: ${fault}`)
  const needed = new Int32Array(problem.classCount).fill(-1)
  const stack = Array.from(problem.roots)
  for (let c = stack.pop(); c !== undefined; c = stack.pop()) {
    if (needed[c]! >= 0) continue
    const n = chosen[c]!
    needed[c] = n
    for (let k = problem.firstChild[n]!; k < problem.firstChild[n + 1]!; k++) stack.push(problem.children[k]!)
  }
  return needed
}

/** The selection that given choices make in this problem. Throws if a choice is not part of the problem or one is missing. */
export function selectionOf(problem: Problem, choices: ReadonlyMap<ClassId, NodeId>): Int32Array {
  const rankOfNode = new Map(Array.from(problem.nodeNames, (name, n) => [name, n]))
  const chosen = new Int32Array(problem.classCount).fill(-1)
  for (let c = 0; c < problem.classCount; c++) {
    const node = choices.get(problem.classNames[c] as ClassId)
    if (node === undefined) continue
    chosen[c] = rankOfNode.get(node) ?? -1
  }
  return neededPart(problem, chosen)
}
