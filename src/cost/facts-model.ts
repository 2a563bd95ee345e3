// What every cost model of this room is inside: a function from kernel facts to microseconds. `asCostModel` makes it the
// public CostModel: it computes the facts, prices each distinct kernel once and remembers the price.
import { invariant } from '../base/errors.ts'
import type { CostModel } from './cost-model.ts'
import { FEATURE_VERSION, factsOf, type KernelFacts } from './features.ts'
import { type Kernel, kernelSignature } from './kernel.ts'

export interface FactsModel {
  readonly name: string
  /** Microseconds outside kernels of one run of a graph; 0 where the model has no such notion. */
  readonly overheadMicros?: number
  /** Predicted microseconds of each: finite and positive. */
  priceFacts(facts: readonly KernelFacts[]): Float64Array
  /** Standard deviation of the logarithm of each price. */
  uncertaintyOfFacts?(facts: readonly KernelFacts[]): Float64Array
}

/** Prices kept before the memory is emptied: bounds it at some tens of megabytes. */
const MEMORY_LIMIT = 200_000

/** Wraps a function of distinct kernels so that each is computed once. */
function remember(
  compute: (facts: readonly KernelFacts[]) => Float64Array,
): (kernels: readonly Kernel[]) => Float64Array {
  const known = new Map<string, number>()
  return (kernels) => {
    const signatures = kernels.map(kernelSignature)
    const fresh = new Map<string, Kernel>()
    signatures.forEach((s, i) => {
      if (!known.has(s)) fresh.set(s, kernels[i]!)
    })
    if (fresh.size > 0 && known.size + fresh.size > MEMORY_LIMIT) {
      known.clear()
      signatures.forEach((s, i) => {
        fresh.set(s, kernels[i]!)
      })
    }
    const values = compute(factsOf([...fresh.values()]))
    ;[...fresh.keys()].forEach((s, i) => {
      known.set(s, values[i]!)
    })
    return Float64Array.from(signatures, (s) => known.get(s)!)
  }
}

/** The public form. Checks the promise of the interface: prices are finite and positive. */
export function asCostModel(model: FactsModel): CostModel {
  const price = remember((facts) => {
    const prices = model.priceFacts(facts)
    prices.forEach((p, i) => {
      invariant(Number.isFinite(p) && p > 0, `${model.name} prices ${facts[i]!.kernel.op} at ${p}`)
    })
    return prices
  })
  const uncertaintyOfFacts = model.uncertaintyOfFacts?.bind(model)
  return {
    name: model.name,
    featureVersion: FEATURE_VERSION,
    overheadMicros: model.overheadMicros ?? 0,
    price,
    ...(uncertaintyOfFacts ? { uncertainty: remember(uncertaintyOfFacts) } : {}),
  }
}
