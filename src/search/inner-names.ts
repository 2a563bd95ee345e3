// Names inside of bodies: a name means one thing in a graph and all that is nested in it, or runtimes refuse the model. New values
// of a program keep away from what the bodies that it carries define.
import type { Graph, Value } from '../ir/graph.ts'
import { namesIn } from '../onnx/index.ts'

/** Renames the new values of programs of `original` that have the name of something inside of a body. */
export function keepNamesApart(original: Graph): (program: Graph) => Graph {
  const own = new Set(original.values.map((v) => v.name))
  const inner = new Set([...namesIn(original)].filter((name) => !own.has(name)))
  const clashes = (v: Value) => inner.has(v.name)
  return (program) => {
    if (!program.values.some(clashes)) return program
    const taken = new Set([...inner, ...program.values.map((v) => v.name)])
    return { ...program, values: program.values.map((v) => (clashes(v) ? { ...v, name: fresh(v.name, taken) } : v)) }
  }
}

function fresh(wish: string, taken: Set<string>): string {
  let name = wish
  for (let i = 1; taken.has(name); i++) name = `${wish}_${i}`
  taken.add(name)
  return name
}
