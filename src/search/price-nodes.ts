// Prices for extraction: each e-node at what the cost model says its kernel takes. Every distinct kernel is priced once.
import type { CostModel } from '../cost/cost-model.ts'
import { type Kernel, kernelSignature } from '../cost/kernel.ts'
import type { NodeId } from '../egraph/egraph.ts'
import type { Bindings } from '../ir/dim.ts'
import type { Explored } from '../rewrite/explore.ts'
import { type Execution, executionOf } from '../rewrite/price.ts'

/** An e-node whose kernel cannot be priced (its shapes are unknown) costs as much as a launch and keeps its place. */
const UNKNOWN_MICROS = 5

/** Microseconds per e-node, indexed by NodeId; infinite where only lowered forms may be chosen. */
export function priceNodes(e: Explored, model: CostModel, bindings: Bindings): Float64Array {
  const { egraph } = e.t
  const costs = new Float64Array(egraph.idLimit).fill(Number.POSITIVE_INFINITY)
  const kernels = new Map<string, { readonly kernel: Kernel; readonly nodes: NodeId[] }>()
  for (const c of egraph.classes())
    for (const n of egraph.nodesOf(c)) {
      const execution = executionOf(e.t, n, bindings)
      if (isKernel(execution)) collect(kernels, execution, n)
      else costs[n] = execution === 'free' ? 0 : execution === 'never' ? Number.POSITIVE_INFINITY : UNKNOWN_MICROS
    }
  const entries = [...kernels.values()]
  const prices = model.price(entries.map((x) => x.kernel))
  entries.forEach(({ nodes }, i) => {
    for (const n of nodes) costs[n] = prices[i]!
  })
  return costs
}

/** Of what the model says of these e-nodes, the part that is owed to weights below the normal range. */
export function subnormalMicros(e: Explored, model: CostModel, bindings: Bindings, nodes: Iterable<NodeId>): number {
  const kernels = [...nodes]
    .map((n) => executionOf(e.t, n, bindings))
    .filter(isKernel)
    .filter(hasSubnormals)
  const plain = kernels.map((k) => ({ ...k, inputs: k.inputs.map((o) => o && { ...o, subnormal: 0 }) }))
  const [whole, usual] = [model.price(kernels), model.price(plain)]
  return whole.reduce((sum, micros, i) => sum + micros - usual[i]!, 0)
}

const hasSubnormals = ({ inputs }: Kernel): boolean => inputs.some((o) => o?.subnormal !== undefined)

const isKernel = (x: Execution): x is Kernel => typeof x === 'object' && x !== null

function collect(
  kernels: Map<string, { readonly kernel: Kernel; readonly nodes: NodeId[] }>,
  kernel: Kernel,
  n: NodeId,
): void {
  const key = kernelSignature(kernel)
  const known = kernels.get(key)
  if (known) known.nodes.push(n)
  else kernels.set(key, { kernel, nodes: [n] })
}
