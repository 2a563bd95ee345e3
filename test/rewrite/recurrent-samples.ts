// Samples of the rules about recurrent layers.
import { type Attributes, text } from '../../src/ir/attribute.ts'
import type { BuildSample, Sample } from './sample.ts'

const BOTH: Attributes = { direction: text('bidirectional') }

/** Y of a layer over 5 steps of 2 samples with 3 features, 4 units in each of `directions`. */
const layer = (s: Sample, op: string, gates: number, directions: number, attributes: Attributes) =>
  s.op(
    op,
    [s.x([5, 2, 3]), s.w([directions, gates * 4, 3]), s.w([directions, gates * 4, 4]), s.w([directions, gates * 8])],
    attributes,
  )

export const recurrentSamples: Readonly<Record<string, readonly BuildSample[]>> = {
  'one-step': [
    (s) => s.slice(layer(s, 'LSTM', 4, 2, BOTH), 0, 4, 5),
    (s) => s.slice(layer(s, 'GRU', 3, 2, BOTH), 0, 0, 1),
    (s) => s.slice(layer(s, 'RNN', 1, 1, { direction: text('reverse') }), 0, 4, 5),
    (s) => {
      const activations = { kind: 'strings', value: ['Relu', 'Tanh'] } as const
      return s.slice(layer(s, 'RNN', 1, 2, { ...BOTH, activations }), 0, 4, 5)
    },
    (s) => {
      const state = () => s.x([2, 2, 4])
      const weights = [s.w([2, 16, 3]), s.w([2, 16, 4]), null, null, state(), state(), s.w([2, 12])]
      return s.slice(s.op('LSTM', [s.x([5, 2, 3]), ...weights], BOTH), 0, 4, 5)
    },
  ],
}
