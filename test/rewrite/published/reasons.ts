// Why a published rule is not taken, where the search from its left side ends dearer than the search from its right side, or where the rule is
// wrong. The test fails if a law needs a reason and has none, and if no law of a row needs it any more.

export interface Reason {
  readonly laws: readonly number[]
  readonly text: string
}

/** Both sides differ on numbers; the text names the condition under which they are equal, if there is one. */
export const UNSOUND: readonly Reason[] = [
  {
    laws: [100, 101, 131, 132],
    text: 'unsound as published: equal only where x and y have as many channels and A and B as many kernels',
  },
  {
    laws: [136, 139, 142, 145],
    text: 'unsound as published: the right side has lost y. For a constant factor per channel ours is `diagonal-out`: conv(x, A) * d = conv(x, A * d)',
  },
]

/** Laws that hold wherever the free sizes are equal, though not in general. */
export const HOLDS_AT_EQUAL_SIZES: readonly number[] = UNSOUND[0]!.laws

export const NOT_TAKEN: readonly Reason[] = [
  {
    laws: [3, 16],
    text: 'found where A is a constant; a product by a computed matrix does not go into the terms of a sum or a concatenation',
  },
  {
    laws: [68, 69],
    text: 'missing: an element-wise operator does not move from a concatenation into its parts; what is had by it is a fused activation',
  },
  {
    laws: [74, 92, 99, 106],
    text: 'no gain where it was measured: 0.98 on a CPU, for the concatenation copies x and y (docs/measurements.md, sum-of-two-products)',
  },
  {
    laws: [77, 79, 115, 116, 118, 126, 127, 129],
    text: 'merged where the weights are constants and what is merged is the weights, or a 1x1 map; else the merge copies pictures on top of each other, or computed weights',
  },
  {
    laws: [93, 94, 107, 108, 109, 110],
    text: 'of no use: a picture that is its own kernel. The difference is which part of a nested concatenation is copied twice',
  },
]
