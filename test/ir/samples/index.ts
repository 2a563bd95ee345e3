// All sample calls.
import { elementwiseSamples } from './elementwise.ts'
import { layerSamples } from './layers.ts'
import { layoutSamples } from './layout.ts'
import { runtimeSamples } from './runtime.ts'
import type { Sample } from './sample.ts'

export { typedOnlySamples } from './runtime.ts'

export const samples: readonly Sample[] = [...elementwiseSamples, ...layoutSamples, ...layerSamples, ...runtimeSamples]
