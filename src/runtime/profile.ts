// Joins a profile with the graph that was executed, so that each profiled kernel carries its qualified operator, attributes,
// shapes and constant operands (ONNX Runtime leaves prepacked weights out of its profiles).
import type { Graph } from '../ir/graph.ts'
import { qualifiedName } from '../ir/graph.ts'
import type { Feeds, ProfiledKernel } from './backend.ts'
import { lowerGraph, type SeenTypes } from './kernel-table.ts'
import type { ConcreteType, KernelEvent, ProfiledRuns } from './profile-events.ts'

/** Kernels of a profile in order of execution. `graph` is the lowered graph that was run on `feeds`. */
export function profiledKernels(runs: ProfiledRuns, graph: Graph, feeds: Feeds): readonly ProfiledKernel[] {
  const first = runs[0] ?? []
  const nodes = matchNodes(first, graph)
  const shapes = new Map(Object.entries(feeds).map(([name, t]) => [name, t.shape]))
  const lowering = lowerGraph(graph, shapes, typesSeen(first, graph))
  return first.map((event, i) => {
    const node = nodes[i] ?? null
    const durations = runs.flatMap((run) => run[i]?.micros ?? [])
    return {
      name: event.name,
      op: node === null ? event.op : qualifiedName(graph.nodes[node]!.domain, graph.nodes[node]!.op),
      provider: event.provider,
      micros: durations.reduce((a, b) => a + b, 0) / runs.length,
      durations,
      kernel: node === null ? null : lowering.kernels[node]!,
    }
  })
}

/** Types of all values that the first run showed. */
function typesSeen(events: readonly KernelEvent[], graph: Graph): SeenTypes {
  const seen = new Map<string, ConcreteType>()
  matchNodes(events, graph).forEach((node, i) => {
    if (node === null) return
    const outputs = graph.nodes[node]!.outputs.filter((v) => v !== null)
    const types = events[i]!.outputs
    if (types.length === outputs.length)
      outputs.forEach((v, k) => {
        seen.set(graph.values[v]!.name, types[k]!)
      })
  })
  return seen
}

/** For each event the index of its node: the same position where operator and name agree, else the node of that name. */
function matchNodes(events: readonly KernelEvent[], graph: Graph): (number | null)[] {
  const byName = new Map<string, number>()
  graph.nodes.forEach((n, i) => {
    if (n.name !== '') byName.set(n.name, i)
  })
  return events.map((e, i) => {
    const node = graph.nodes[i]
    const sameName = node?.name === e.name || (node?.name === '' && e.name.startsWith(`${node.op}_`))
    if (node?.op === e.op && sameName) return i
    const named = byName.get(e.name)
    return named !== undefined && graph.nodes[named]!.op === e.op ? named : null
  })
}

/** Predicted milliseconds of a whole run on the CPU, from its profile: durations are whole microseconds and about 2.2 too long
 * each (fitted on 159 graphs, ONNX Runtime 1.30, one thread: error 2.7 %, uncorrected 9.4 %). */
export function correctedTotalMs(kernels: readonly ProfiledKernel[]): number {
  const sum = kernels.reduce((total, k) => total + k.micros, 0)
  return (1.033 * sum - 2.2 * kernels.length) / 1000
}

export interface ProviderShare {
  readonly provider: string
  readonly kernels: number
  /** Of the profiled time, 0 to 1. */
  readonly timeShare: number
}

/** How much ran where; a device that does less than was asked of it shows here. */
export function providerShares(kernels: readonly ProfiledKernel[]): readonly ProviderShare[] {
  const total = kernels.reduce((sum, k) => sum + k.micros, 0)
  const providers = [...new Set(kernels.map((k) => k.provider))]
  return providers.map((provider) => {
    const own = kernels.filter((k) => k.provider === provider)
    const micros = own.reduce((sum, k) => sum + k.micros, 0)
    return { provider, kernels: own.length, timeShare: total === 0 ? 0 : micros / total }
  })
}
