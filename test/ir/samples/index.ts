// All sample calls.
import { elementwiseSamples } from './elementwise.ts'
import { layerSamples } from './layers.ts'
import { layoutSamples } from './layout.ts'
import { linearSamples } from './linear.ts'
import { channelsLastSamples, ortSamples, ortTypedOnlySamples } from './ort.ts'
import { resampleSamples } from './resample.ts'
import { runtimeSamples, runtimeTypedOnlySamples } from './runtime.ts'
import type { Sample } from './sample.ts'

export const samples: readonly Sample[] = [
  ...elementwiseSamples,
  ...layoutSamples,
  ...layerSamples,
  ...linearSamples,
  ...resampleSamples,
  ...runtimeSamples,
  ...ortSamples,
  ...channelsLastSamples,
]

/** Operators whose records give types and work only: random ones, and what exists only inside ONNX Runtime. */
export const typedOnlySamples: readonly Sample[] = [...runtimeTypedOnlySamples, ...ortTypedOnlySamples]
