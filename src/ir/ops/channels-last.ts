// Operators on channels-last data, [batch, ...spatial, channels], as ONNX Runtime writes them for devices that prefer it (domain
// com.ms.internal.nhwc: WebGPU, and quantised kernels): the record of the channels-first operator between two transposes.
// Weights keep their layout. Source: core/graph/contrib_ops/internal_nhwc_onnx_schemas.cc, nhwc_schema_defs.cc (1.30).
import { permute } from '../kernels/stacked.ts'
import type { AxisMap, AxisSource, Call, ConcreteCall, Op } from '../op.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { batchNormalizationOps } from './batch-normalization.ts'
import { convOps } from './conv.ts'
import { convTransposeOps } from './conv-transpose.ts'
import { gridSampleOps } from './grid-sample.ts'
import { layoutMove } from './layout-move.ts'
import { normalizeOps } from './normalize.ts'
import { MICROSOFT, ortFusedOps } from './ort-fused.ts'
import { poolOps } from './pool.ts'

export const NHWC_DOMAIN = 'com.ms.internal.nhwc'

/** Order that makes channels-last data channels-first: [0, last, 1, 2, ...]. */
const toFirst = (rank: number): number[] => [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)]
/** The way back: [0, 2, 3, ..., 1]. */
const toLast = (rank: number): number[] => [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1]

const turnType = (type: TensorType, order: readonly number[]): TensorType => ({
  ...type,
  shape: order.map((axis) => type.shape[axis]!),
})
const turnArray = (x: NdArray, order: readonly number[]): NdArray => ({ dtype: x.dtype, ...permute(x, order) })
const isImage = (shape: readonly unknown[]): boolean => shape.length >= 3

/** The call of the channels-first operator; `images` are the inputs that are turned. */
function turned<C extends Call>(call: C, images: readonly number[]): C {
  const inputs = call.inputs.map((type, i) =>
    type && images.includes(i) && isImage(type.shape) ? turnType(type, toFirst(type.shape.length)) : type,
  )
  return { ...call, inputs }
}

const back = (type: TensorType | null): TensorType | null =>
  type && isImage(type.shape) ? turnType(type, toLast(type.shape.length)) : type

function turnAxes(map: AxisMap, images: readonly number[]): AxisMap {
  const order = toLast(map.length)
  return order.map((axis) =>
    map[axis]!.map(
      (source, i): AxisSource => (typeof source === 'number' && images.includes(i) ? order.indexOf(source) : source),
    ),
  )
}

/** The same operator on channels-last data. */
export function channelsLast(base: Op, name: string, domain: string, images: readonly number[] = [0]): Op {
  const { infer, evaluate, work, axes, resize } = base
  return {
    ...base,
    name,
    domain,
    infer: (call) => infer(turned(call, images)).map(back),
    evaluate: (call: ConcreteCall, inputs) => {
      const first = inputs.map((x, i) =>
        x && images.includes(i) && isImage(x.shape) ? turnArray(x, toFirst(x.shape.length)) : x,
      )
      return evaluate(turned(call, images), first).map((y) =>
        isImage(y.shape) ? turnArray(y, toLast(y.shape.length)) : y,
      )
    },
    ...(work && { work: (call: ConcreteCall) => work(turned(call, images)) }),
    ...(axes && {
      axes: (call: Call) => {
        const map = axes(turned(call, images))
        return map && turnAxes(map, images)
      },
    }),
    ...(resize && {
      resize: (call, axis, size) =>
        resize(turned(call, images), toLast(infer(turned(call, images))[0]!.shape.length)[axis]!, size),
    }),
  }
}

/** Layout-sensitive operators; a fused convolution's sum (input 3) is an image too. */
const SENSITIVE = [
  'Conv',
  'ConvTranspose',
  'MaxPool',
  'AveragePool',
  'LpPool',
  'GlobalMaxPool',
  'GlobalAveragePool',
  'GlobalLpPool',
  'BatchNormalization',
  'InstanceNormalization',
  'LRN',
  'GridSample',
  'DepthToSpace',
  'SpaceToDepth',
]

const sources: readonly Op[] = [
  ...convOps,
  ...convTransposeOps,
  ...poolOps,
  ...batchNormalizationOps,
  ...normalizeOps,
  ...gridSampleOps,
  ...layoutMove,
]
const named = (list: readonly Op[], name: string): Op[] => list.filter((op) => op.name === name)

export const channelsLastOps: readonly Op[] = [
  ...SENSITIVE.flatMap((name) => named(sources, name)).map((op) => ({
    ...channelsLast(op, op.name, NHWC_DOMAIN),
    sinceOpset: 1,
  })),
  ...named(ortFusedOps, 'FusedConv').flatMap((op) => [
    channelsLast(op, 'FusedConv', NHWC_DOMAIN, [0, 3]),
    channelsLast(op, 'NhwcFusedConv', MICROSOFT, [0, 3]),
  ]),
  ...named(convOps, 'Conv').map((op) => ({ ...channelsLast(op, 'NhwcConv', MICROSOFT), sinceOpset: 1 })),
  ...named(poolOps, 'MaxPool').map((op) => ({ ...channelsLast(op, 'NhwcMaxPool', MICROSOFT), sinceOpset: 1 })),
]
