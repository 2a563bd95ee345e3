// Samples of the rules about blocks of pixels.
import { int, ints, text } from '../../src/ir/attribute.ts'
import type { ValueId } from '../../src/ir/graph.ts'
import { tensor } from '../../src/ir/tensor.ts'
import type { BuildSample, Sample } from './sample.ts'

const deconvolved = (s: Sample, x: ValueId, shape: readonly number[], bias: readonly ValueId[] = []): ValueId =>
  s.op('ConvTranspose', [x, s.w(shape), ...bias], { strides: ints([shape[2]!, shape[3]!]) })

const enlarged = (s: Sample, x: ValueId, size: number, mode: 'DCR' | 'CRD'): ValueId =>
  s.op('DepthToSpace', [x], { blocksize: int(size), mode: text(mode) })

export const subPixelSamples: Readonly<Record<string, readonly BuildSample[]>> = {
  'deconvolution-as-lin': [
    (s) => deconvolved(s, s.x([2, 3, 2, 4]), [3, 5, 2, 2]),
    (s) => deconvolved(s, s.x([1, 2, 3, 1]), [2, 1, 3, 3], [s.w([1])]),
    (s) => deconvolved(s, s.x([1, 2, 3, 2]), [2, 4, 1, 1]),
    (s) => {
      const inner = s.op('Relu', [deconvolved(s, s.x([1, 3, 2, 2]), [3, 2, 2, 2], [s.w([2])])])
      return s.op('Sigmoid', [deconvolved(s, inner, [2, 1, 2, 2], [s.w([1])])])
    },
  ],
  'pointwise-in-phases': [
    (s) => s.op('Relu', [enlarged(s, s.x([2, 8, 2, 3]), 2, 'DCR')]),
    (s) => s.op('Add', [enlarged(s, s.x([1, 12, 2, 1]), 2, 'CRD'), s.w([3, 1, 1])]),
    (s) => s.op('Mul', [s.w([1, 3, 1, 1]), enlarged(s, s.x([1, 12, 2, 1]), 2, 'DCR')]),
    (s) => s.op('Clip', [enlarged(s, s.x([1, 9, 2, 2]), 3, 'CRD'), s.c(0), s.c(1)]),
    (s) => {
      const x = enlarged(s, s.x([1, 8, 3, 2]), 2, 'CRD')
      return s.op('Mul', [x, s.op('Sigmoid', [x])])
    },
  ],
  'lin-in-phases': [
    (s) => s.conv(enlarged(s, s.x([2, 12, 2, 3]), 2, 'DCR'), s.w([2, 3, 1, 1]), 0),
    (s) => s.conv(enlarged(s, s.x([1, 18, 2, 1]), 3, 'CRD'), s.w([4, 2, 1, 1]), 0),
  ],
  'enlarged-twice': [
    (s) => enlarged(s, enlarged(s, s.x([2, 16, 2, 1]), 2, 'DCR'), 2, 'DCR'),
    (s) => enlarged(s, enlarged(s, s.x([1, 72, 1, 2]), 2, 'CRD'), 3, 'CRD'),
    (s) => enlarged(s, enlarged(s, s.x([1, 36, 2, 2]), 3, 'DCR'), 2, 'CRD'),
    (s) => enlarged(s, enlarged(s, s.x([1, 48, 1, 1]), 2, 'CRD'), 2, 'DCR'),
  ],
  'resized-in-phases': [
    (s) => s.conv(repeated(s, s.x([2, 3, 2, 3]), 2), s.w([4, 3, 3, 3]), 1),
    (s) => s.conv(repeated(s, s.x([1, 2, 3, 1]), 3), s.w([2, 2, 5, 5]), 2),
    (s) =>
      s.op('Relu', [s.op('Add', [s.conv(repeated(s, s.x([1, 3, 2, 2]), 2), s.w([2, 3, 3, 3]), 1), s.w([2, 1, 1])])]),
    (s) => s.op('Conv', [repeated(s, s.x([1, 2, 2, 2]), 4), s.w([3, 2, 2, 3])], { pads: ints([0, 1, 1, 1]) }),
    (s) => s.op('Conv', [repeated(s, s.x([2, 3, 4]), 3), s.w([2, 3, 5])], { pads: ints([2, 2]) }),
    (s) => s.op('Conv', [repeated(s, s.x([1, 2, 2, 1]), 2), s.w([3, 2, 4, 3])], { auto_pad: text('SAME_LOWER') }),
    (s) => {
      const x = s.conv(repeated(s, s.x([1, 2, 2, 3]), 2), s.w([3, 2, 3, 3]), 1)
      return s.conv(s.op('Mul', [x, s.op('Sigmoid', [x])]), s.w([2, 3, 1, 1]), 0)
    },
  ],
  'deconvolution-in-phases': [
    (s) => s.op('ConvTranspose', [s.x([1, 4, 2, 3]), s.w([4, 1, 2, 2])], { strides: ints([2, 2]), group: int(4) }),
    (s) =>
      s.op('ConvTranspose', [s.x([1, 6, 4]), s.w([6, 2, 5])], {
        strides: ints([2]),
        pads: ints([2, 1]),
        group: int(2),
      }),
    (s) => s.op('ConvTranspose', [s.x([1, 3, 4]), s.w([3, 2, 7])], { strides: ints([3]), pads: ints([2, 2]) }),
    (s) => s.op('Tanh', [s.op('ConvTranspose', [s.x([2, 3, 4]), s.w([3, 2, 2]), s.w([2])], { strides: ints([2]) })]),
    (s) => overlapped(s, s.x([2, 3, 2, 3]), [3, 4, 4, 4], [1, 1, 1, 1], [0, 0]),
    (s) => overlapped(s, s.x([1, 2, 3, 1]), [2, 3, 3, 3], [1, 1, 1, 1], [1, 1]),
    (s) => overlapped(s, s.x([1, 2, 2, 2]), [2, 1, 5, 2], [0, 0, 3, 0], [0, 0]),
    (s) => overlapped(s, s.x([1, 2, 2, 2]), [2, 3, 1, 1], [0, 0, 0, 0], [1, 1]),
  ],
  'conv-of-phases': [
    (s) => s.conv(focused(s, s.x([2, 2, 4, 6]), 2), s.w([3, 8, 3, 3]), 1),
    (s) => s.conv(focused(s, s.x([1, 2, 6, 6]), 3), s.w([2, 18, 1, 1]), 0),
    (s) => s.conv(s.op('SpaceToDepth', [s.x([1, 2, 6, 8])], { blocksize: int(2) }), s.w([3, 8, 2, 3]), 0),
    (s) =>
      s.op('Conv', [focused(s, s.x([1, 1, 8, 8]), 2), s.w([2, 4, 2, 2])], {
        strides: ints([2, 1]),
        pads: ints([0, 1, 1, 0]),
      }),
  ],
}

/** Every `step`-th row and column, from each place on, side by side. */
function focused(s: Sample, x: ValueId, step: number): ValueId {
  const by = (v: ValueId, axis: number, start: number) =>
    s.op('Slice', [v, s.b.int64s([start]), s.b.int64s([99]), s.b.int64s([axis]), s.b.int64s([step])])
  const places = Array.from({ length: step }, (_, i) => i)
  const parts = places.flatMap((column) => places.map((row) => by(by(x, 2, row), 3, column)))
  return s.op('Concat', parts, { axis: int(1) })
}

/** Along all axes but the first two. */
function repeated(s: Sample, x: ValueId, size: number): ValueId {
  const factors = s.b.typeOf(x)!.shape.map((_, axis) => (axis < 2 ? 1 : size))
  const scales = s.b.constant(tensor('float32', [factors.length], factors))
  const rounded = { coordinate_transformation_mode: text('asymmetric'), nearest_mode: text('floor') }
  return s.op('Resize', [x, null, scales], rounded)
}

const overlapped = (
  s: Sample,
  x: ValueId,
  shape: readonly number[],
  pads: readonly number[],
  more: readonly number[],
): ValueId =>
  s.op('ConvTranspose', [x, s.w(shape)], { strides: ints([2, 2]), pads: ints(pads), output_padding: ints(more) })
