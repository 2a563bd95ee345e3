// Operators that move data: transpositions, joins, cuts, gathers, padding, resizing, pooling in the plain layout.
import { int, ints, text } from '../../ir/attribute.ts'
import type { ValueId } from '../../ir/graph.ts'
import { elementCount } from '../../ir/shape.ts'
import { ELEMENT_LIMIT, type Kit, padsOf, type Recipe } from './kit.ts'

const PERMUTATIONS: Readonly<Record<number, readonly (readonly number[])[]>> = {
  2: [[1, 0]],
  3: [
    [0, 2, 1],
    [0, 2, 1],
    [1, 0, 2],
    [2, 0, 1],
    [1, 2, 0],
    [2, 1, 0],
  ],
  4: [
    [0, 2, 1, 3],
    [0, 2, 1, 3],
    [0, 2, 3, 1],
    [0, 3, 1, 2],
    [0, 1, 3, 2],
    [0, 3, 2, 1],
    [2, 0, 1, 3],
    [1, 0, 2, 3],
  ],
  5: [
    [2, 0, 3, 1, 4],
    [0, 1, 3, 2, 4],
    [0, 2, 1, 3, 4],
    [0, 3, 4, 1, 2],
  ],
}

function transpose(kit: Kit): ValueId {
  const draw = () => {
    const shape = kit.anyShape()
    return kit.chance(0.12) && shape.length === 3 ? [shape[0]!, shape[1]!, 3, 4, Math.max(4, shape[2]! >> 3)] : shape
  }
  const shape = kit.until(draw, (s) => s.length > 1 && elementCount(s) <= ELEMENT_LIMIT)
  return kit.op('Transpose', [kit.fed(shape)], { perm: ints(kit.random.pick(PERMUTATIONS[shape.length]!)) })
}

function concat(kit: Kit): ValueId {
  const shape = kit.anyShape(500_000)
  const axis = kit.chance(0.4) ? shape.length - 1 : kit.random.below(shape.length)
  const part = () => shape.map((d, i) => (i === axis ? kit.size(1, Math.max(1, d)) : d))
  return kit.op(
    'Concat',
    Array.from({ length: kit.random.pick([2, 2, 2, 3, 4, 6]) }, () => kit.fed(part())),
    { axis: int(axis) },
  )
}

function slice(kit: Kit): ValueId {
  const shape = kit.anyShape()
  const axis = kit.random.below(shape.length)
  const size = shape[axis]!
  const start = kit.random.below(size)
  const end = Math.min(size, start + kit.size(1, size))
  const step = kit.chance(0.15) ? 2 : 1
  return kit.op('Slice', [
    kit.fed(shape),
    kit.int64s([start]),
    kit.int64s([end]),
    kit.int64s([axis]),
    kit.int64s([step]),
  ])
}

function split(kit: Kit): ValueId {
  const parts = kit.random.pick([2, 3, 4])
  const shape = kit.anyShape(ELEMENT_LIMIT / parts)
  const axis = kit.chance(0.6) ? shape.length - 1 : kit.random.below(shape.length)
  const whole = shape.map((d, i) => (i === axis ? d * parts : d))
  const attributes = { axis: int(axis), num_outputs: int(parts) }
  const pieces = kit.builder.multi('Split', [kit.fed(whole)], { attributes, outputs: parts })
  for (const piece of pieces.slice(1)) kit.finish(piece)
  return pieces[0]!
}

function gather(kit: Kit): ValueId {
  if (kit.chance(0.5)) {
    const [rows, width, ids] = [kit.size(4, 4000), kit.size(4, 512), kit.size(1, 600)]
    const table = kit.chance(0.6) ? kit.weight([rows, width]) : kit.fed([rows, width])
    return kit.op('Gather', [table, kit.indices([1, ids], rows)], { axis: int(0) })
  }
  const shape = kit.anyShape(500_000)
  const axis = kit.random.below(shape.length)
  const ids = kit.chance(0.4)
    ? kit.indices([], shape[axis]!)
    : kit.indices([kit.size(1, Math.max(1, shape[axis]!))], shape[axis]!)
  return kit.op('Gather', [kit.fed(shape), ids], { axis: int(axis) })
}

function gatherElements(kit: Kit): ValueId {
  const shape = kit.anyShape(200_000)
  const axis = kit.random.below(shape.length)
  return kit.op('GatherElements', [kit.fed(shape), kit.indices(shape, shape[axis]!)], { axis: int(axis) })
}

function scatter(kit: Kit): ValueId {
  const [rows, width] = [kit.size(8, 1500), kit.size(4, 128)]
  if (kit.chance(0.5)) {
    const ids = kit.indices([kit.size(1, rows), 1], rows)
    return kit.op('ScatterND', [kit.fed([rows, width]), ids, kit.fed([kit.shapeOf(ids)![0]!, width])])
  }
  const axis = kit.random.below(2)
  return kit.op(
    'ScatterElements',
    [kit.fed([rows, width]), kit.indices([rows, width], axis === 0 ? rows : width), kit.fed([rows, width])],
    { axis: int(axis) },
  )
}

function expand(kit: Kit): ValueId {
  const shape = kit.anyShape()
  const small = shape.map((d) => (kit.chance(0.5) ? 1 : d))
  return kit.op('Expand', [kit.fed(small), kit.int64s(shape)])
}

function tile(kit: Kit): ValueId {
  const shape = kit.anyShape(300_000)
  return kit.op('Tile', [kit.fed(shape), kit.int64s(shape.map(() => kit.random.pick([1, 1, 2])))])
}

function pad(kit: Kit): ValueId {
  const shape = [kit.images(), kit.channels(8, 256), ...kit.plane(4, 56)]
  const p = kit.random.pick([1, 2, 3])
  const mode = kit.random.pick(['constant', 'constant', 'reflect', 'edge'])
  return kit.op('Pad', [kit.fed(shape), kit.int64s([0, 0, p, p, 0, 0, p, p])], { mode: text(mode) })
}

const RESIZES = [
  ['nearest', 'asymmetric', 'floor'],
  ['nearest', 'half_pixel', 'round_prefer_floor'],
  ['linear', 'half_pixel', 'floor'],
  ['linear', 'align_corners', 'floor'],
  ['linear', 'asymmetric', 'floor'],
  ['cubic', 'half_pixel', 'floor'],
] as const

function resize(kit: Kit): ValueId {
  const [mode, coordinates, nearest] = kit.random.pick(RESIZES)
  const factor = kit.random.pick([0.5, 1, 2, 2, 2, 4, 8])
  const draw = () => [1, kit.channels(1, 256), ...kit.plane(4, 64)]
  const cost = mode === 'cubic' ? 16 : 1
  const shape = kit.until(draw, (s) => elementCount(s) * Math.max(1, factor * factor) * cost <= ELEMENT_LIMIT)
  const size = shape.map((d, i) => (i < 2 ? d : Math.max(1, Math.round(d * factor))))
  const attributes = {
    mode: text(mode),
    coordinate_transformation_mode: text(coordinates),
    nearest_mode: text(nearest),
  }
  return kit.op('Resize', [kit.fed(shape), null, null, kit.int64s(size)], attributes)
}

function pool(kit: Kit): ValueId {
  const shape = [kit.images(), kit.channels(1, 256), ...kit.plane(8, 80)]
  if (kit.chance(0.25)) return kit.op(kit.random.pick(['GlobalAveragePool', 'GlobalMaxPool']), [kit.fed(shape)])
  const [side, stride] = kit.random.pick([
    [2, 2],
    [3, 2],
    [3, 1],
    [5, 1],
    [7, 1],
  ] as const)
  const attributes = { kernel_shape: ints([side, side]), strides: ints([stride, stride]), pads: padsOf(side >> 1) }
  return kit.op(kit.random.pick(['MaxPool', 'AveragePool']), [kit.fed(shape)], attributes)
}

function blocks(kit: Kit): ValueId {
  const [n, channels, plane] = [1, kit.channels(4, 128), kit.plane(8, 56)]
  return kit.chance(0.5)
    ? kit.op('DepthToSpace', [kit.fed([n, 4 * channels, ...plane])], { blocksize: int(2) })
    : kit.op('SpaceToDepth', [kit.fed([n, channels, 2 * plane[0], 2 * plane[1]])], { blocksize: int(2) })
}

const topK = (kit: Kit): ValueId => {
  const shape = kit.anyShape(100_000)
  const k = kit.size(1, shape.at(-1)!)
  return kit.builder.multi('TopK', [kit.fed(shape), kit.int64s([k])], { attributes: { axis: int(-1) }, outputs: 2 })[0]!
}

const cast = (kit: Kit): ValueId =>
  kit.op('Cast', [kit.op('Cast', [kit.fed(kit.anyShape())], { to: int(kit.random.pick([7, 6, 9, 11])) })], {
    to: int(1),
  })

export const MOVE_RECIPES: readonly Recipe[] = [
  { name: 'transpose', weight: 7, build: transpose },
  { name: 'concat', weight: 4, build: concat },
  { name: 'slice', weight: 3.5, build: slice },
  { name: 'split', weight: 2, build: split },
  { name: 'gather', weight: 3, build: gather },
  { name: 'gather-elements', weight: 0.6, build: gatherElements },
  { name: 'scatter', weight: 0.8, build: scatter },
  { name: 'expand', weight: 2, build: expand },
  { name: 'tile', weight: 0.6, build: tile },
  { name: 'pad', weight: 1.2, build: pad },
  { name: 'resize', weight: 2.5, build: resize },
  { name: 'pool', weight: 2.5, build: pool },
  { name: 'depth-space', weight: 0.7, build: blocks },
  { name: 'top-k', weight: 0.4, build: topK },
  { name: 'cast', weight: 0.6, build: cast },
]
