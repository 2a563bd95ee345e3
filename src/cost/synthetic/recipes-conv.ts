// Convolutions of all kinds, alone and in the chains in which ONNX Runtime keeps its blocked layout or fuses: with activation,
// with a residual sum, before pooling, resizing and concatenation.
import { float, int, ints, text } from '../../ir/attribute.ts'
import type { ValueId } from '../../ir/graph.ts'
import { elementCount } from '../../ir/shape.ts'
import { ELEMENT_LIMIT, FLOP_LIMIT, type Kit, padsOf, type Recipe } from './kit.ts'

interface ConvSize {
  readonly n: number
  readonly input: number
  readonly output: number
  readonly groups: number
  readonly kernel: readonly [number, number]
  readonly stride: number
  readonly dilation: number
  readonly plane: readonly [number, number]
  readonly pad: readonly [number, number]
}

const outSize = (s: ConvSize): number => (s.plane[0] / s.stride) * (s.plane[1] / s.stride)
const fits = (s: ConvSize): boolean =>
  2 * s.n * s.output * (s.input / s.groups) * s.kernel[0] * s.kernel[1] * outSize(s) <= FLOP_LIMIT &&
  s.n * Math.max(s.input, s.output) * s.plane[0] * s.plane[1] <= ELEMENT_LIMIT &&
  s.output * (s.input / s.groups) * s.kernel[0] * s.kernel[1] <= ELEMENT_LIMIT &&
  s.plane[0] + 2 * s.pad[0] > s.dilation * (s.kernel[0] - 1) &&
  s.plane[1] + 2 * s.pad[1] > s.dilation * (s.kernel[1] - 1)

function drawKernel(kit: Kit): readonly [number, number] {
  if (kit.chance(0.1))
    return kit.random.pick([
      [1, 3],
      [3, 1],
      [1, 7],
      [7, 1],
      [5, 1],
      [2, 2],
    ] as const)
  const side = kit.random.pick([3, 3, 3, 3, 5, 5, 7, 4, 2])
  return [side, side]
}

/** Padding that keeps the size, or none. */
const samePad = (kit: Kit, kernel: readonly [number, number], dilation: number): readonly [number, number] =>
  kit.chance(0.85) ? [((kernel[0] - 1) >> 1) * dilation, ((kernel[1] - 1) >> 1) * dilation] : [0, 0]

/** Sizes that fit the limits; `fix` is drawn anew with each try. */
function drawSize(kit: Kit, fix: () => Partial<ConvSize> = () => ({})): ConvSize {
  const draw = (): ConvSize => {
    const fixed = fix()
    const kernel = fixed.kernel ?? drawKernel(kit)
    const dilation = kit.chance(0.08) ? kit.random.pick([2, 3, 4]) : 1
    const stride = kit.chance(0.2) ? 2 : 1
    const drawn = {
      n: kit.images(),
      input: kit.channels(),
      output: kit.channels(),
      groups: 1,
      kernel,
      stride,
      dilation,
      plane: kit.plane(1),
    }
    return { ...drawn, pad: samePad(kit, kernel, dilation), ...fixed }
  }
  return kit.until(draw, fits)
}

export function convNode(kit: Kit, x: ValueId, s: ConvSize, bias = kit.chance(0.8)): ValueId {
  const [height, width] = s.kernel
  const perGroup = s.input / s.groups
  const weight = kit.weight([s.output, perGroup, height, width], perGroup * height * width)
  const attributes = {
    kernel_shape: ints(s.kernel),
    strides: ints([s.stride, s.stride]),
    dilations: ints([s.dilation, s.dilation]),
    pads: padsOf(...s.pad),
    group: int(s.groups),
  }
  return kit.op('Conv', bias ? [x, weight, kit.weight([s.output])] : [x, weight], attributes)
}

const inputOf = (kit: Kit, s: ConvSize): ValueId => kit.fed([s.n, s.input, ...s.plane])

const POINT = { kernel: [1, 1], pad: [0, 0], dilation: 1 } as const

const DEPTHWISE_KERNELS = [
  [3, 3],
  [3, 3],
  [5, 5],
  [7, 7],
] as const

const depthwise = (kit: Kit): ConvSize =>
  drawSize(kit, () => {
    const channels = kit.channels(8, 1024)
    return { input: channels, output: channels, groups: channels, kernel: kit.random.pick(DEPTHWISE_KERNELS) }
  })

const grouped = (kit: Kit): ConvSize =>
  drawSize(kit, () => {
    const groups = kit.random.pick([2, 4, 8, 16, 32])
    const per = () => kit.random.pick([1, 2, 4, 8, 16, 24])
    return { groups, input: groups * per(), output: groups * per() }
  })

/** Activations that follow convolutions; the runtime fuses the first few. */
export function activation(kit: Kit, x: ValueId): ValueId {
  switch (
    kit.random.pick(['Relu', 'Relu', 'Relu', 'Clip', 'LeakyRelu', 'HardSwish', 'HardSigmoid', 'Sigmoid', 'Silu'])
  ) {
    case 'Relu':
      return kit.op('Relu', [x])
    case 'Clip':
      return kit.op('Clip', [x, kit.scalar(0), kit.scalar(6)])
    case 'LeakyRelu':
      return kit.op('LeakyRelu', [x], { alpha: float(0.1) })
    case 'HardSwish':
      return kit.op('HardSwish', [x])
    case 'HardSigmoid':
      return kit.op('HardSigmoid', [x])
    case 'Sigmoid':
      return kit.op('Sigmoid', [x])
    default:
      return kit.op('Mul', [x, kit.op('Sigmoid', [x])])
  }
}

const alone = (draw: (kit: Kit) => ConvSize) => (kit: Kit) => {
  const s = draw(kit)
  return convNode(kit, inputOf(kit, s), s)
}

/** A convolution, then something that stays in its layout. */
const before = (then: (kit: Kit, x: ValueId, s: ConvSize) => ValueId) => (kit: Kit) => {
  const s = kit.chance(0.5) ? drawSize(kit, () => POINT) : drawSize(kit)
  return then(kit, convNode(kit, inputOf(kit, s), s), s)
}

/** Pads that keep each window at least partly on the image, for maps as small as one pixel. */
const pool = (kit: Kit, x: ValueId): ValueId => {
  const [side, stride] = kit.random.pick([
    [2, 2],
    [3, 2],
    [3, 1],
    [5, 1],
  ] as const)
  const pad = side >> 1
  const attributes = { kernel_shape: ints([side, side]), strides: ints([stride, stride]), pads: padsOf(pad) }
  return kit.op(kit.random.pick(['MaxPool', 'MaxPool', 'AveragePool']), [x], attributes)
}

/** What is added comes from another convolution, so that it is blocked too, or from outside. */
function residual(kit: Kit): ValueId {
  const s = drawSize(kit)
  const x = inputOf(kit, s)
  const y = convNode(kit, x, s)
  const shape = kit.shapeOf(y)
  const isOutside = shape !== null && kit.chance(0.5) && elementCount(shape) <= ELEMENT_LIMIT
  const sum = kit.op('Add', [y, isOutside ? kit.fed(shape) : convNode(kit, x, s)])
  return kit.chance(0.7) ? kit.op('Relu', [sum]) : sum
}

/** A channel gate: pool, two small convolutions, product. */
function squeeze(kit: Kit): ValueId {
  const channels = kit.channels(16, 512)
  const plane = kit.plane(4, 56)
  const x = kit.fed([1, channels, ...plane])
  const inner = Math.max(4, channels >> 2)
  const small = { n: 1, groups: 1, stride: 1, plane: [1, 1], ...POINT } as const
  const down = kit.op('Relu', [
    convNode(kit, kit.op('GlobalAveragePool', [x]), { ...small, input: channels, output: inner }),
  ])
  const up = convNode(kit, down, { ...small, input: inner, output: channels })
  return kit.op('Mul', [x, kit.op(kit.chance(0.5) ? 'HardSigmoid' : 'Sigmoid', [up])])
}

function transposed(kit: Kit): ValueId {
  const draw = () => ({
    input: kit.channels(4, 128),
    output: kit.channels(4, 128),
    plane: kit.plane(4, 40),
    stride: 2,
    side: kit.random.pick([2, 3, 4]),
  })
  const s = kit.until(draw, (d) => 2 * d.input * d.output * d.side ** 2 * d.plane[0] * d.plane[1] <= FLOP_LIMIT / 2)
  const weight = kit.weight([s.input, s.output, s.side, s.side], s.input)
  return kit.op('ConvTranspose', [kit.fed([1, s.input, ...s.plane]), weight], {
    kernel_shape: ints([s.side, s.side]),
    strides: ints([2, 2]),
  })
}

function overTime(kit: Kit): ValueId {
  const draw = () => ({
    input: kit.channels(1, 384),
    output: kit.channels(4, 384),
    length: kit.size(8, 2000),
    side: kit.random.pick([1, 3, 5, 7, 9]),
  })
  const s = kit.until(
    draw,
    (d) =>
      2 * d.input * d.output * d.side * d.length <= FLOP_LIMIT &&
      Math.max(d.input, d.output) * d.length <= ELEMENT_LIMIT,
  )
  const weight = kit.weight([s.output, s.input, s.side], s.input * s.side)
  return kit.op('Conv', [kit.fed([1, s.input, s.length]), weight], {
    kernel_shape: ints([s.side]),
    pads: ints([s.side >> 1, s.side >> 1]),
  })
}

const resized = (kit: Kit, x: ValueId, s: ConvSize): ValueId => {
  const fitting = 4 * s.n * s.output * s.plane[0] * s.plane[1] <= ELEMENT_LIMIT
  const scales = kit.builder.constant({
    dtype: 'float32',
    shape: [4],
    bytes: new Uint8Array(new Float32Array([1, 1, 2, 2]).buffer),
  })
  const attributes = {
    mode: text('nearest'),
    coordinate_transformation_mode: text('asymmetric'),
    nearest_mode: text('floor'),
  }
  return fitting ? kit.op('Resize', [x, null, scales], attributes) : kit.op('Relu', [x])
}

export const CONV_RECIPES: readonly Recipe[] = [
  { name: 'conv', weight: 7, build: alone((kit) => drawSize(kit)) },
  { name: 'conv-pointwise', weight: 8, build: alone((kit) => drawSize(kit, () => POINT)) },
  { name: 'conv-depthwise', weight: 5, build: alone(depthwise) },
  { name: 'conv-grouped', weight: 2, build: alone(grouped) },
  {
    name: 'conv-stem',
    weight: 2,
    build: alone((kit) =>
      drawSize(kit, () => ({ input: kit.random.pick([1, 3]), output: kit.channels(8, 96), plane: kit.plane(28, 224) })),
    ),
  },
  {
    name: 'conv-odd-channels',
    weight: 2,
    build: alone((kit) => drawSize(kit, () => ({ input: kit.size(1, 70), output: kit.size(1, 70) }))),
  },
  { name: 'conv-activation', weight: 6, build: before((kit, x) => activation(kit, x)) },
  {
    name: 'conv-depthwise-activation',
    weight: 3,
    build: (kit) => {
      const s = depthwise(kit)
      return activation(kit, convNode(kit, inputOf(kit, s), s))
    },
  },
  { name: 'conv-residual', weight: 3, build: residual },
  { name: 'conv-pool', weight: 2.5, build: before(pool) },
  { name: 'conv-global-pool', weight: 1, build: before((kit, x) => kit.op('GlobalAveragePool', [x])) },
  { name: 'conv-resize', weight: 1.5, build: before(resized) },
  {
    name: 'conv-concat',
    weight: 1.5,
    build: before((kit, x, s) => kit.op('Concat', [x, convNode(kit, inputOf(kit, s), s)], { axis: int(1) })),
  },
  {
    name: 'conv-scale',
    weight: 1.5,
    build: before((kit, x, s) =>
      kit.op(kit.random.pick(['Mul', 'Add']), [
        x,
        kit.chance(0.5) ? kit.scalar(1.1, [1]) : kit.weight([1, s.output, 1, 1]),
      ]),
    ),
  },
  { name: 'squeeze-excite', weight: 1.5, build: squeeze },
  { name: 'conv-transpose', weight: 1.5, build: transposed },
  { name: 'conv-1d', weight: 2, build: overTime },
]
