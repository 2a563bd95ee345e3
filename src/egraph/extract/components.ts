// Strongly connected components of the class graph (Tarjan, without recursion): only inside one can a choice close a cycle.
import type { Problem } from './problem.ts'

/** Component number of each class; edges are class -> child class of an alive node. */
export function componentsOf(problem: Problem, alive: Uint8Array): Int32Array {
  const { classCount, firstNode, firstChild, children } = problem
  const component = new Int32Array(classCount).fill(-1)
  const index = new Int32Array(classCount).fill(-1)
  const low = new Int32Array(classCount)
  const onStack = new Uint8Array(classCount)
  const stack: number[] = []
  let counter = 0
  let components = 0
  const successors = (c: number): number[] => {
    const out: number[] = []
    for (let n = firstNode[c]!; n < firstNode[c + 1]!; n++)
      if (alive[n] === 1) for (let k = firstChild[n]!; k < firstChild[n + 1]!; k++) out.push(children[k]!)
    return out
  }
  const enter = (c: number) => {
    index[c] = low[c] = counter++
    stack.push(c)
    onStack[c] = 1
    return { c, next: successors(c), at: 0 }
  }
  const leave = (c: number) => {
    if (low[c] !== index[c]) return
    for (let d = stack.pop()!; ; d = stack.pop()!) {
      onStack[d] = 0
      component[d] = components
      if (d === c) break
    }
    components++
  }
  for (let root = 0; root < classCount; root++) {
    if (index[root]! >= 0) continue
    const frames = [enter(root)]
    while (frames.length > 0) {
      const frame = frames.at(-1)!
      const d = frame.next[frame.at++]
      if (d === undefined) {
        frames.pop()
        leave(frame.c)
        const above = frames.at(-1)
        if (above) low[above.c] = Math.min(low[above.c]!, low[frame.c]!)
      } else if (index[d]! < 0) frames.push(enter(d))
      else if (onStack[d] === 1) low[frame.c] = Math.min(low[frame.c]!, index[d]!)
    }
  }
  return component
}
