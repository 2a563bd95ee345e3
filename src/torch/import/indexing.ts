// `x[...]`: integers, slices, None, Ellipsis and one index tensor per axis, on tensors; integers and slices on tuples.
import { UnsupportedError } from '../../base/errors.ts'
import { int } from '../../ir/attribute.ts'
import type { ValueId } from '../../ir/graph.ts'
import { tensor } from '../../ir/tensor.ts'
import type { Context } from './context.ts'
import { type Arguments, type Item, listItem, tensorItem } from './item.ts'

export function getItem(c: Context, a: Arguments): Item {
  const [base, index] = [a.item('input'), a.item('index')]
  if (base.kind === 'tensor')
    return tensorItem(indexTensor(c, a, base.value, index.kind === 'list' ? index.items : [index]))
  if (base.kind === 'list' && index.kind === 'slice')
    return listItem(base.items.slice(bound(a, index.start, 0), bound(a, index.stop, base.items.length)))
  if (base.kind === 'list' && index.kind === 'number') return element(a, base.items, index.value)
  const entry =
    base.kind === 'dict' && index.kind === 'text' ? base.entries.find(([k]) => k === index.value) : undefined
  if (entry) return entry[1]
  throw a.mistake('index', 'an index of a tensor or a tuple', index)
}

function element(a: Arguments, items: readonly Item[], at: number): Item {
  const found = items.at(at)
  if (found === undefined || at < -items.length)
    throw a.mistake('index', `an index below ${items.length}`, { kind: 'number', value: at, float: false })
  return found
}

function bound(a: Arguments, item: Item, otherwise: number): number {
  if (item.kind === 'none') return otherwise
  if (item.kind === 'number') return item.value
  throw a.mistake('index', 'a whole number', item)
}

const takesAxis = (i: Item) => i.kind !== 'none' && i.kind !== 'ellipsis'

function indexTensor(c: Context, a: Arguments, x: ValueId, given: readonly Item[]): ValueId {
  const rank = c.shape(x, a.where).length
  const missing = rank - given.filter(takesAxis).length
  if (missing < 0) throw new UnsupportedError(`${a.where} with more indices than dimensions`)
  const whole: Item = { kind: 'slice', start: { kind: 'none' }, stop: { kind: 'none' }, step: { kind: 'none' } }
  const fill = new Array<Item>(missing).fill(whole)
  const at = given.findIndex((i) => i.kind === 'ellipsis')
  const full = at < 0 ? [...given, ...fill] : [...given.slice(0, at), ...fill, ...given.slice(at + 1)]
  if (full.filter((i) => i.kind === 'tensor').length > 1)
    throw new UnsupportedError(`${a.where} with several index tensors`)
  let [value, axis] = [x, 0]
  for (const item of full) {
    const step = applyIndex(c, a, value, axis, item)
    value = step.value
    axis += step.axes
  }
  return value
}

/** The value after one index, and how many axes of the result it leaves. */
function applyIndex(c: Context, a: Arguments, x: ValueId, axis: number, item: Item): { value: ValueId; axes: number } {
  switch (item.kind) {
    case 'none':
      return { value: c.op('Unsqueeze', x, c.ints([axis])), axes: 1 }
    case 'number':
      return {
        value: c.node('Gather', [x, c.constant(tensor('int64', [], [item.value]))], { axis: int(axis) }),
        axes: 0,
      }
    case 'slice':
      return { value: sliced(c, a, x, axis, item), axes: 1 }
    case 'tensor':
      if (c.type(item.value, a.where).dtype === 'bool')
        throw new UnsupportedError(`${a.where} with a mask: the shape depends on values`)
      return {
        value: c.node('Gather', [x, item.value], { axis: int(axis) }),
        axes: c.shape(item.value, a.where).length,
      }
    case 'list': {
      const values = item.items.map((i) => bound(a, i, 0))
      return {
        value: c.node('Gather', [x, c.constant(tensor('int64', [values.length], values))], { axis: int(axis) }),
        axes: 1,
      }
    }
    default:
      throw a.mistake('index', 'a number, a slice, None, Ellipsis or a tensor', item)
  }
}

function sliced(c: Context, a: Arguments, x: ValueId, axis: number, item: Extract<Item, { kind: 'slice' }>): ValueId {
  const size = c.shape(x, a.where)[axis]!
  const [start, stop, step] = [bound(a, item.start, 0), bound(a, item.stop, size), bound(a, item.step, 1)]
  if (step < 1) throw new UnsupportedError(`${a.where} with a step of ${step}`)
  if (start === 0 && stop >= size && step === 1) return x
  return c.op('Slice', x, ...[start, Math.min(stop, size), axis, step].map((n) => c.ints([n])))
}
