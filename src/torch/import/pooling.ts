// Pooling, in the parameter order of `torch.nn.functional`, and resizing.
import { UnsupportedError } from '../../base/errors.ts'
import { int, ints, text } from '../../ir/attribute.ts'
import { tensor } from '../../ir/tensor.ts'
import { type Context, type Handler, type Handlers, handler } from './context.ts'
import { type Arguments, listItem } from './item.ts'
import { perAxis } from './linear.ts'

function pool(op: 'MaxPool' | 'AveragePool', signature: string): Handler {
  return handler(signature, (c, a) => {
    if (a.boolean('return_indices', false)) throw new UnsupportedError(`${a.where} with return_indices`)
    if (a.has('divisor_override')) throw new UnsupportedError(`${a.where} with divisor_override`)
    const spatial = c.shape(c.tensor(a, 'input'), a.where).length - 2
    const kernel = perAxis(a, 'kernel_size', spatial, 1)
    const strides =
      a.has('stride') && a.item('stride').kind !== 'list'
        ? perAxis(a, 'stride', spatial, 1)
        : listOr(a, 'stride', kernel)
    const pads = perAxis(a, 'padding', spatial, 0)
    const own =
      op === 'MaxPool'
        ? { dilations: ints(perAxis(a, 'dilation', spatial, 1)) }
        : { count_include_pad: int(a.boolean('count_include_pad', true) ? 1 : 0) }
    return c.node(op, [c.tensor(a, 'input')], {
      kernel_shape: ints(kernel),
      strides: ints(strides),
      pads: ints([...pads, ...pads]),
      ceil_mode: int(a.boolean('ceil_mode', false) ? 1 : 0),
      ...own,
    })
  })
}

/** An empty list means "as the kernel" in ATen. */
function listOr(a: Arguments, name: string, otherwise: readonly number[]): readonly number[] {
  const given = a.has(name) ? a.ints(name) : []
  if (given.length === 0) return otherwise
  return given.length === 1 ? otherwise.map(() => given[0]!) : given
}

/** To 1x1 a global pool; to a divisor of the size an ordinary one. */
function adaptive(op: 'Max' | 'Average'): Handler {
  return handler('input output_size', (c, a) => {
    const x = c.tensor(a, 'input')
    const size = c.shape(x, a.where).slice(2)
    const given = a.item('output_size')
    const list = given.kind === 'list' ? given.items : size.map(() => given)
    const out = list.map((i, d) => (i.kind === 'none' ? size[d]! : i.kind === 'number' ? i.value : Number.NaN))
    if (out.every((n) => n === 1)) return c.op(`Global${op}Pool`, x)
    if (!size.every((s, d) => s % out[d]! === 0)) throw new UnsupportedError(`${a.where} from [${size}] to [${out}]`)
    const kernel = size.map((s, d) => s / out[d]!)
    return c.node(`${op}Pool`, [x], { kernel_shape: ints(kernel), strides: ints(kernel) })
  })
}

const MAX_POOL = 'input kernel_size stride padding dilation ceil_mode return_indices'
const AVERAGE_POOL = 'input kernel_size stride padding ceil_mode count_include_pad divisor_override'

/** Spatial sizes of the result of `interpolate`. */
function targetSize(a: Arguments, size: readonly number[]): number[] {
  if (a.has('size')) {
    const given = a.ints('size')
    return given.length === 1 ? size.map(() => given[0]!) : given
  }
  const item = a.item('scale_factor')
  const factors =
    item.kind === 'list'
      ? item.items.map((i) => (i.kind === 'number' ? i.value : Number.NaN))
      : size.map(() => a.number('scale_factor'))
  return size.map((s, i) => Math.floor(s * factors[i]!))
}

const MODES: Readonly<Record<string, string>> = {
  nearest: 'nearest',
  linear: 'linear',
  bilinear: 'linear',
  trilinear: 'linear',
  bicubic: 'cubic',
}

function interpolate(c: Context, a: Arguments, torchMode = a.text('mode', 'nearest')) {
  const x = c.tensor(a, 'input')
  const shape = c.shape(x, a.where)
  const mode = MODES[torchMode]
  if (mode === undefined || a.boolean('antialias', false))
    throw new UnsupportedError(`${a.where} with mode ${torchMode}${mode ? ' and antialias' : ''}`)
  const corners = a.boolean('align_corners', false)
  const coordinates = mode === 'nearest' ? 'asymmetric' : corners ? 'align_corners' : 'pytorch_half_pixel'
  const sizes = c.constant(tensor('int64', [shape.length], [...shape.slice(0, 2), ...targetSize(a, shape.slice(2))]))
  const cubic = mode === 'cubic' ? { cubic_coeff_a: { kind: 'float', value: -0.75 } as const } : {}
  return c.node('Resize', [x, null, null, sizes], {
    mode: text(mode),
    coordinate_transformation_mode: text(coordinates),
    nearest_mode: text('floor'),
    ...cubic,
  })
}

/** The values of a pool whose indices nobody reads. */
function withIndices(p: Handler): Handler {
  return { ...p, run: (c, a) => listItem([p.run(c, a)]) }
}

export const pooling: Handlers = {
  max_pool1d: pool('MaxPool', MAX_POOL),
  max_pool2d: pool('MaxPool', MAX_POOL),
  max_pool3d: pool('MaxPool', MAX_POOL),
  avg_pool1d: pool('AveragePool', AVERAGE_POOL),
  avg_pool2d: pool('AveragePool', AVERAGE_POOL),
  avg_pool3d: pool('AveragePool', AVERAGE_POOL),
  adaptive_avg_pool1d: adaptive('Average'),
  adaptive_avg_pool2d: adaptive('Average'),
  adaptive_avg_pool3d: adaptive('Average'),
  adaptive_max_pool2d: adaptive('Max'),
  interpolate: handler('input size scale_factor mode align_corners recompute_scale_factor antialias', (c, a) =>
    interpolate(c, a),
  ),
  upsample: handler('input size scale_factor mode align_corners', (c, a) => interpolate(c, a)),
  'aten.upsample_bilinear2d': handler('input size align_corners scale_factor', (c, a) => interpolate(c, a, 'bilinear')),
  'aten.upsample_bicubic2d': handler('input size align_corners scale_factor', (c, a) => interpolate(c, a, 'bicubic')),
  'aten.upsample_nearest2d': handler('input size scale_factor', (c, a) => interpolate(c, a, 'nearest')),
  'aten.max_pool2d_with_indices': withIndices(pool('MaxPool', MAX_POOL)),
}
