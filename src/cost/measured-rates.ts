// Kernels that no dataset has and that take many times what their kind takes. A model that never saw one prices it as the usual
// one, so that what replaces it would look dear. Rates are of ONNX Runtime 1.30, one thread, AMD EPYC.
import type { CostModel } from './cost-model.ts'
import type { Kernel } from './kernel.ts'

/** Nanoseconds per output element: 85 to 100 at 2- to 32-fold, 178 at 1.07-fold; linear interpolation takes 1.7 to 2.8. */
const CUBIC_RESIZE_NS = 95

function measuredMicros({ op, attributes, outputs }: Kernel): number | null {
  if (op !== 'Resize' || attributes.mode !== 'cubic') return null
  const elements = outputs[0]?.shape.reduce((a, b) => a * b, 1) ?? 0
  return Math.max(1, (elements * CUBIC_RESIZE_NS) / 1000)
}

/** The model, but for those kernels. */
export function withMeasuredRates(model: CostModel): CostModel {
  return {
    ...model,
    price: (kernels) => {
      const prices = model.price(kernels)
      return prices.map((micros, i) => measuredMicros(kernels[i]!) ?? micros)
    },
  }
}
