// Tensors made from nothing: constants, once every size is known.
import { tensor } from '../../ir/tensor.ts'
import { type Handler, type Handlers, handler } from './context.ts'
import type { Arguments, Item } from './item.ts'

/** A constant of a given shape; the dtype is that of the value or of `dtype`. */
function filled(signature: string, value: (a: Arguments) => number): Handler {
  return handler(signature, (c, a) => {
    const like = a.item('input')
    const shape = a.has('shape') ? a.ints('shape') : c.shape(c.tensor(a, 'input'), a.where)
    const inherited = like.kind === 'tensor' ? c.type(like.value, a.where).dtype : 'float32'
    return c.filled(a.dtype('dtype') ?? inherited, shape, value(a))
  })
}

const arange: Handler = handler('start end step dtype', (c, a) => {
  const [start, end] = a.has('end') ? [a.number('start'), a.number('end')] : [0, a.number('start')]
  const step = a.number('step', 1)
  const values = Array.from({ length: Math.max(0, Math.ceil((end - start) / step)) }, (_, i) => start + i * step)
  const given = ['start', 'end', 'step'].some((n) => isFloatItem(a.item(n)))
  return c.constant(tensor(a.dtype('dtype') ?? (given ? 'float32' : 'int64'), [values.length], values))
})
const isFloatItem = (i: Item) => i.kind === 'number' && i.float

const scalarTensor: Handler = handler('value dtype', (c, a) =>
  c.filled(a.dtype('dtype') ?? 'float32', [], a.number('value')),
)

export const creation: Handlers = {
  zeros: filled('*shape dtype', () => 0),
  ones: filled('*shape dtype', () => 1),
  full: filled('shape value dtype', (a) => a.number('value')),
  zeros_like: filled('input dtype', () => 0),
  ones_like: filled('input dtype', () => 1),
  full_like: filled('input value dtype', (a) => a.number('value')),
  new_zeros: filled('input *shape dtype', () => 0),
  new_ones: filled('input *shape dtype', () => 1),
  new_full: filled('input shape value dtype', (a) => a.number('value')),
  arange,
  scalar_tensor: scalarTensor,
}
