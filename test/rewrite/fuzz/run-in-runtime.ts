// The graph and a program of its e-graph in ONNX Runtime, unoptimised, on the same inputs.
import { join } from 'node:path'
import { isFloat } from '../../../src/ir/dtype.ts'
import { evaluateGraph } from '../../../src/ir/evaluate.ts'
import type { Graph } from '../../../src/ir/graph.ts'
import { fromNdArray, type NdArray, toNdArray } from '../../../src/ir/tensor.ts'
import { modelOf, writeModelFile } from '../../../src/onnx/index.ts'
import type { Backend, Feeds, Outcome } from '../../../src/runtime/index.ts'
import { close } from '../support/check-egraph.ts'

/** Of the largest magnitude of an output; float32 sums in another order. */
const TOLERANCE = 1e-3
/** Where numbers cancel, the output is small and its rounding is not: of the original's own distance from the reference. */
const ROUNDINGS = 16

/** What differs; null where the runtime does not run the graph itself, or has another size of a pool that is larger than its input,
 * on which ONNX is silent: such an original is none to compare with. */
export async function differencesInRuntime(
  backend: Backend,
  folder: string,
  original: Graph,
  program: Graph,
  arrays: Readonly<Record<string, NdArray>>,
): Promise<readonly string[] | null> {
  const feeds = Object.fromEntries(Object.entries(arrays).map(([name, a]) => [name, fromNdArray(a)]))
  const expected = await run(backend, join(folder, 'original.onnx'), original, feeds)
  if (!expected.ok) return null
  const got = await run(backend, join(folder, 'program.onnx'), program, feeds)
  if (!got.ok) return hasNothing(original) ? null : [`the runtime refuses the program: ${got.reason}`]
  const exact = evaluateGraph(original, arrays)
  if (Object.entries(expected.value).some(([name, t]) => t.shape.join() !== exact[name]!.shape.join())) return null
  return Object.entries(expected.value).flatMap(([name, t]) => {
    const [a, b] = [toNdArray(t), got.value[name] && toNdArray(got.value[name])]
    const same = b && close(a, b, isFloat(t.dtype) ? TOLERANCE : 0, ROUNDINGS * distance(a, exact[name]!))
    return same ? [] : [`in the runtime output ${name} is ${b?.data.slice(0, 8)}, expected ${a.data.slice(0, 8)}`]
  })
}

/** Kernels differ in whether they take tensors without elements; nobody runs such models. */
const hasNothing = (graph: Graph): boolean => graph.values.some((v) => v.type?.shape.includes(0))

const distance = (a: NdArray, b: NdArray): number =>
  a.data.reduce((most, x, i) => Math.max(most, Math.abs(x - b.data[i]!)), 0)

async function run(backend: Backend, path: string, graph: Graph, feeds: Feeds): Promise<Outcome<Feeds>> {
  writeModelFile(path, modelOf(graph), { force: true, isDurable: false })
  const session = await backend.open(path, { threads: 1, optimization: 'disabled' })
  if (!session.ok) return session
  const used = Object.fromEntries(session.value.inputNames.map((name) => [name, feeds[name]!]))
  const answer = await session.value.run(used)
  await session.value.close()
  return answer
}
