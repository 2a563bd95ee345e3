// Samples of the rules about the runtime's blocked layout.
import { type Attributes, float, int, ints, text } from '../../src/ir/attribute.ts'
import type { ValueId } from '../../src/ir/graph.ts'
import { tensor } from '../../src/ir/tensor.ts'
import type { BuildSample, Sample } from './sample.ts'

const biased = (s: Sample, x: ValueId, shape: readonly [number, ...number[]]): ValueId =>
  s.op('Add', [s.conv(x, s.w(shape), 0), s.w([shape[0], 1, 1])])

const resized = (s: Sample, shape: readonly number[], scales: readonly number[], attributes: Attributes): ValueId =>
  s.op('Resize', [s.x(shape), null, s.b.constant(tensor('float32', [scales.length], scales))], attributes)

/** What was made from a picture. */
const picture = (s: Sample): ValueId => s.op('Squeeze', [s.op('Sigmoid', [s.x([1, 3, 1, 6])]), s.b.int64s([2])])

export const layoutSamples: Readonly<Record<string, readonly BuildSample[]>> = {
  'stretch-operand': [
    (s) => {
      const x = s.x([2, 3, 4, 5])
      return s.op('Mul', [x, s.op('HardSigmoid', [s.mean(x, [2, 3])])])
    },
    (s) => s.op('Add', [s.op('Sigmoid', [s.x([1, 3, 1, 1])]), s.x([1, 3, 1, 4])]),
  ],
  'read-padded': [
    (s) => s.conv(s.op('Relu', [biased(s, s.x([1, 4, 3, 3]), [9, 4, 1, 1])]), s.w([2, 9, 3, 3]), 1),
    (s) => s.conv(s.op('Sigmoid', [s.conv(s.x([1, 3, 4, 4]), s.w([10, 3, 2, 2]), 0)]), s.w([3, 10, 1, 1]), 0),
    (s) => {
      const inner = s.op('Add', [s.conv(s.x([2, 2, 1, 1]), s.w([11, 2, 1, 1]), 0), s.c(0.5)])
      return s.op('Transpose', [s.conv(s.op('HardSwish', [inner]), s.w([4, 11, 1, 1]), 0)], {
        perm: ints([0, 2, 3, 1]),
      })
    },
    (s) => {
      const x = s.conv(s.x([1, 3, 4, 4]), s.w([9, 3, 1, 1]), 0)
      const deep = s.op('Add', [x, s.op('Relu', [s.conv(x, s.w([9, 1, 3, 3]), 1, 9)])])
      return s.conv(s.op('Mul', [deep, s.op('Sigmoid', [s.mean(deep, [2, 3])])]), s.w([2, 9, 1, 1]), 0)
    },
    (s) => {
      const pooled = s.op('MaxPool', [biased(s, s.x([1, 2, 4, 4]), [12, 2, 1, 1])], { kernel_shape: ints([2, 2]) })
      return s.conv(s.op('Clip', [pooled, s.c(0), s.c(6)]), s.w([3, 12, 1, 1]), 0)
    },
    (s) => {
      const parts = [8, 10].map((n) => s.op('Relu', [s.conv(s.x([1, 3, 2, 2]), s.w([n, 3, 1, 1]), 0)]))
      return s.conv(s.op('Concat', parts, { axis: int(1) }), s.w([3, 18, 1, 1]), 0)
    },
  ],
  'line-as-picture': [
    (s) => s.op('Conv', [s.x([2, 3, 7]), s.w([4, 3, 3])], { pads: ints([2, 1]), strides: ints([2]) }),
    (s) => s.op('Conv', [s.x([1, 4, 8]), s.w([4, 1, 2])], { dilations: ints([3]), group: int(4) }),
    (s) =>
      s.op('Conv', [s.x([1, 3, 7]), s.w([4, 3, 3]), s.w([4])], { auto_pad: text('SAME_UPPER'), strides: ints([2]) }),
  ],
  'stay-picture': [
    (s) => s.op('Relu', [picture(s)]),
    (s) => s.op('Mul', [picture(s), s.w([3, 1])]),
    (s) => s.op('Add', [picture(s), s.x([1, 3, 6])]),
    (s) => s.op('Clip', [picture(s), s.c(0), s.c(1)]),
    (s) => s.op('Concat', [picture(s), s.x([1, 2, 6])], { axis: int(1) }),
    (s) => s.op('MaxPool', [picture(s)], { kernel_shape: ints([3]), strides: ints([2]), pads: ints([1, 0]) }),
    (s) => s.op('Conv', [picture(s), s.w([2, 3, 1])]),
    (s) => s.mean(picture(s), [2]),
  ],
  'usual-coordinates': [
    (s) => resized(s, [1, 2, 3, 4], [1, 1, 2, 3], {}),
    (s) => resized(s, [2, 1, 3, 2], [1, 1, 4, 1], { nearest_mode: text('round_prefer_ceil') }),
    (s) =>
      resized(s, [1, 2, 5, 3], [1, 1, 3, 2], {
        coordinate_transformation_mode: text('tf_half_pixel_for_nn'),
        nearest_mode: text('floor'),
      }),
    (s) =>
      resized(s, [1, 2, 1, 4], [1, 1, 2, 3], {
        mode: text('linear'),
        coordinate_transformation_mode: text('pytorch_half_pixel'),
      }),
  ],
  'resize-as-maps': [
    (s) => resized(s, [2, 3, 4, 3], [1, 1, 2, 3], { mode: text('cubic') }),
    (s) => resized(s, [1, 2, 5, 6], [1, 1, 2, 0.5], { mode: text('linear') }),
    (s) =>
      resized(s, [1, 2, 4, 4], [1, 1, 3, 1], {
        mode: text('cubic'),
        cubic_coeff_a: float(-0.5),
        exclude_outside: int(1),
      }),
    (s) => resized(s, [1, 1, 8, 6], [1, 1, 0.5, 0.5], { mode: text('linear'), antialias: int(1) }),
    (s) =>
      resized(s, [1, 1, 3, 5], [1, 1, 2, 2], {
        mode: text('linear'),
        coordinate_transformation_mode: text('align_corners'),
      }),
  ],
  'pad-channels': [
    (s) => s.op('Relu', [biased(s, s.x([1, 4, 3, 3]), [9, 4, 1, 1])]),
    (s) => s.op('Mul', [s.op('Tanh', [s.conv(s.x([1, 3, 4, 4]), s.w([10, 3, 2, 2]), 0)]), s.w([10, 1, 1])]),
    (s) => s.mean(s.conv(s.conv(s.x([1, 3, 4, 4]), s.w([9, 3, 1, 1]), 0), s.w([9, 1, 3, 3]), 1, 9), [2, 3]),
  ],
}
