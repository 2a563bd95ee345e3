// Samples of resampling, sampling at given positions, regions of interest, and the inverses of windows.
import { float, floats, int, ints, text } from '../../../src/ir/attribute.ts'
import { kernel, pads, strides } from './linear.ts'
import { type Sample, sample } from './sample.ts'

const UP = 'f[1,2,3,4] - !p[4]=1,1,2,1.5'
const DOWN = 'f[1,2,6,8] - !p[4]=1,1,0.5,0.7'
const TO_SIZES = 'f[1,2,3,4] - - !i[4]=1,2,5,6'
const resamples: readonly Sample[] = [
  ...['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric', 'half_pixel_symmetric'].flatMap((name) =>
    ['nearest', 'linear', 'cubic'].flatMap((mode) =>
      [UP, DOWN, TO_SIZES].map((inputs) =>
        sample('Resize', inputs, { mode: text(mode), coordinate_transformation_mode: text(name) }, { opset: 19 }),
      ),
    ),
  ),
  ...['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'].map((name) =>
    sample('Resize', DOWN, { nearest_mode: text(name) }, { opset: 13 }),
  ),
  sample('Resize', UP, { mode: text('cubic'), cubic_coeff_a: float(-0.5), exclude_outside: int(1) }),
  ...['linear', 'cubic'].map((mode) => sample('Resize', DOWN, { mode: text(mode), antialias: int(1) })),
  sample('Resize', 'f[1,2,3,4] - !p[2]=2,3', { axes: ints([3, 2]) }),
  sample('Resize', 'f[1,2,3,4] - - !i[2]=7,9', { axes: ints([2, 3]), keep_aspect_ratio_policy: text('not_larger') }),
  sample('Resize', 'f[1,2,3,4] - - !i[2]=7,9', { axes: ints([2, 3]), keep_aspect_ratio_policy: text('not_smaller') }),
  sample('Resize', 'f[1,1,4,5] !f[8]=0,0,0.2,-0.1,1,1,0.9,1.2 - !i[4]=1,1,3,4', {
    mode: text('linear'),
    coordinate_transformation_mode: text('tf_crop_and_resize'),
    extrapolation_value: float(7),
  }),
  ...['nearest', 'linear'].flatMap((mode) => [
    sample('Resize', 'f[1,2,3,4] !p[4]=1,1,2,3', { mode: text(mode) }, { opset: 10 }),
    sample('Resize', 'f[1,2,6,8] !p[4]=1,1,0.5,0.5', { mode: text(mode) }, { opset: 10 }),
    sample('Upsample', 'f[1,2,3,4] !p[4]=1,1,2,3', { mode: text(mode) }, { opset: 9 }),
    sample('Upsample', 'f[1,2,3,4]', { mode: text(mode), scales: floats([1, 1, 2, 3]) }, { opset: 7 }),
  ]),
  ...['linear', 'nearest', 'cubic'].flatMap((mode) =>
    ['zeros', 'border', 'reflection'].flatMap((padding) =>
      [0, 1].map((corners) =>
        sample(
          'GridSample',
          'f[2,3,4,5] f[2,3,2,2]',
          { mode: text(mode), padding_mode: text(padding), align_corners: int(corners) },
          { opset: 20 },
        ),
      ),
    ),
  ),
  sample('GridSample', 'f[1,2,3,4,5] f[1,2,2,2,3]', { mode: text('linear') }),
  sample('GridSample', 'f[1,2,4,5] f[1,3,3,2]', { mode: text('bilinear') }, { opset: 16 }),
  sample('AffineGrid', 'f[2,2,3] !i[4]=2,1,3,4'),
  sample('AffineGrid', 'f[1,3,4] !i[5]=1,1,2,3,4', { align_corners: int(1) }),
]

const regions: readonly Sample[] = [
  ...['half_pixel', 'output_half_pixel'].flatMap((mode) =>
    ['avg', 'max'].map((pool) =>
      sample(
        'RoiAlign',
        'f[2,3,6,7] f[3,4]=0,0,4,5,1,0.5,3.5,6,2,1,5,5 i[3]=0,1,0',
        {
          coordinate_transformation_mode: text(mode),
          mode: text(pool),
          output_height: int(2),
          output_width: int(3),
          sampling_ratio: int(2),
        },
        { opset: 16 },
      ),
    ),
  ),
  sample(
    'RoiAlign',
    'f[1,2,6,7] f[1,4]=0,0,10,12 i[1]=0',
    {
      spatial_scale: float(0.5),
      output_height: int(2),
      output_width: int(2),
    },
    { opset: 10 },
  ),
  sample('MaxRoiPool', 'f[2,3,6,7] f[2,5]=0,0,0,6,5,1,2,1,5,5', { pooled_shape: ints([2, 2]) }, { opset: 21 }),
  sample('MaxUnpool', 'f[1,1,2,2] i[1,1,2,2]=5,7,13,15', { ...kernel(2, 2), ...strides(2, 2) }, { opset: 11 }),
  sample('Col2Im', 'f[2,12,6] !i[2]=3,4 !i[2]=2,2'),
  sample('Col2Im', 'f[1,12,12] !i[2]=5,6 !i[2]=2,3', {
    ...pads(0, 1, 1, 0),
    dilations: ints([2, 1]),
    ...strides(1, 2),
  }),
  sample('DeformConv', 'f[1,2,4,5] f[3,2,2,2] f[1,8,3,4] f[3] p[1,4,3,4]'),
  sample('DeformConv', 'f[1,4,5,5] f[2,2,2,2] f[1,16,3,3]', {
    group: int(2),
    offset_group: int(2),
    ...strides(2, 2),
    ...pads(1, 1, 0, 0),
  }),
]

export const resampleSamples: readonly Sample[] = [...resamples, ...regions]
