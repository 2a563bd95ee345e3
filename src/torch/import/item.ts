// What the arguments of a torch call are, once names are resolved: tensors are values of the graph being built, everything
// else is known at import (sizes included, since every shape is a number).
import { UnsupportedError, UserError } from '../../base/errors.ts'
import type { DType } from '../../ir/dtype.ts'
import type { ValueId } from '../../ir/graph.ts'

export type Item =
  | { readonly kind: 'tensor'; readonly value: ValueId }
  | { readonly kind: 'number'; readonly value: number; readonly float: boolean }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'none' }
  | { readonly kind: 'ellipsis' }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'dtype'; readonly dtype: DType }
  | { readonly kind: 'list'; readonly items: readonly Item[] }
  | { readonly kind: 'dict'; readonly entries: readonly (readonly [string, Item])[] }
  | { readonly kind: 'slice'; readonly start: Item; readonly stop: Item; readonly step: Item }

export const tensorItem = (value: ValueId): Item => ({ kind: 'tensor', value })
export const integerItem = (value: number): Item => ({ kind: 'number', value, float: false })
export const floatItem = (value: number): Item => ({ kind: 'number', value, float: true })
export const listItem = (items: readonly Item[]): Item => ({ kind: 'list', items })
export const NONE_ITEM: Item = { kind: 'none' }

const TORCH_DTYPES: Readonly<Record<string, DType>> = {
  'torch.float32': 'float32',
  'torch.float': 'float32',
  'torch.float64': 'float64',
  'torch.double': 'float64',
  'torch.float16': 'float16',
  'torch.half': 'float16',
  'torch.bfloat16': 'bfloat16',
  'torch.int64': 'int64',
  'torch.long': 'int64',
  'torch.int32': 'int32',
  'torch.int': 'int32',
  'torch.int16': 'int16',
  'torch.int8': 'int8',
  'torch.uint8': 'uint8',
  'torch.bool': 'bool',
}

/** The dtype that `torch.float32` and its like name, or null. */
export function dtypeOfTorch(text: string): DType | null {
  return TORCH_DTYPES[text] ?? null
}

/** `torch.float32` for `float32`. Throws UnsupportedError where PyTorch has no such dtype. */
export function torchOfDtype(dtype: DType): string {
  const name = `torch.${dtype}`
  if (!(name in TORCH_DTYPES)) throw new UnsupportedError(`dtype ${dtype} in PyTorch`)
  return name
}

/** The arguments of one call by name, as its signature names them. Getters throw UserError with the call's name. */
export class Arguments {
  readonly where: string
  private readonly byName: ReadonlyMap<string, Item>

  constructor(where: string, byName: ReadonlyMap<string, Item>) {
    this.where = where
    this.byName = byName
  }

  item(name: string): Item {
    return this.byName.get(name) ?? NONE_ITEM
  }

  has(name: string): boolean {
    return this.item(name).kind !== 'none'
  }

  number(name: string, otherwise?: number): number {
    const item = this.item(name)
    if (item.kind === 'number') return item.value
    if (item.kind === 'boolean') return item.value ? 1 : 0
    if (item.kind === 'none' && otherwise !== undefined) return otherwise
    throw this.mistake(name, 'a number', item)
  }

  int(name: string, otherwise?: number): number {
    const value = this.number(name, otherwise)
    if (!Number.isInteger(value)) throw this.mistake(name, 'a whole number', this.item(name))
    return value
  }

  boolean(name: string, otherwise: boolean): boolean {
    const item = this.item(name)
    if (item.kind === 'none') return otherwise
    if (item.kind === 'boolean') return item.value
    if (item.kind === 'number') return item.value !== 0
    throw this.mistake(name, 'True or False', item)
  }

  text(name: string, otherwise: string): string {
    const item = this.item(name)
    if (item.kind === 'none') return otherwise
    if (item.kind === 'text') return item.value
    throw this.mistake(name, 'a string', item)
  }

  /** A list of numbers; one number stands for a list of one. */
  ints(name: string): number[] {
    const item = this.item(name)
    const items = item.kind === 'list' ? item.items : [item]
    return items.map((i) => {
      if (i.kind !== 'number' || !Number.isInteger(i.value)) throw this.mistake(name, 'whole numbers', i)
      return i.value
    })
  }

  items(name: string): readonly Item[] {
    const item = this.item(name)
    if (item.kind !== 'list') throw this.mistake(name, 'a list', item)
    return item.items
  }

  dtype(name: string): DType | null {
    const item = this.item(name)
    if (item.kind === 'none') return null
    if (item.kind === 'dtype') return item.dtype
    throw this.mistake(name, 'a dtype', item)
  }

  mistake(name: string, expected: string, got: Item): UserError {
    return new UserError({
      code: 'bad-torch-call',
      where: `${this.where}, argument ${name}`,
      expected,
      got: describe(got),
      fix: 'trace the model again, or write this call in another way',
    })
  }
}

export function describe(item: Item): string {
  if (item.kind === 'number' || item.kind === 'text' || item.kind === 'boolean') return `${item.value}`
  return item.kind === 'none' ? 'None' : `a ${item.kind}`
}

/**
 * Binds positional and keyword arguments to a signature such as `input dim keepdim`. A name with a star takes the
 * remaining positional arguments as one list, and names after it are keywords only; a single list stands for them all (`x.view(2, 3)`, `x.view((2, 3))`).
 */
export function bind(
  where: string,
  signature: string,
  args: readonly Item[],
  kwargs: readonly (readonly [string, Item])[],
): Arguments {
  const names = signature.split(' ').filter((n) => n !== '')
  const byName = new Map<string, Item>()
  const star = names.findIndex((n) => n.startsWith('*'))
  const single = star < 0 ? args : args.slice(0, star)
  if (single.length > names.length) throw new UnsupportedError(`${where} with ${args.length} positional arguments`)
  single.forEach((item, i) => {
    byName.set(names[i]!, item)
  })
  const rest = star < 0 ? [] : args.slice(star)
  if (rest.length > 0)
    byName.set(names[star]!.slice(1), rest.length === 1 && rest[0]!.kind === 'list' ? rest[0]! : listItem(rest))
  for (const [given, item] of kwargs) {
    const name = ALIASES[given] ?? given
    const known = names.some((n) => n.replace('*', '') === name) || IGNORED.has(name)
    if (!known && item.kind === 'none') continue // `out = None` and the like
    if (!known) throw new UnsupportedError(`${where} with the argument ${given}`)
    byName.set(name, item)
  }
  return new Arguments(where, byName)
}

/** NumPy's spellings, which torch takes too. */
const ALIASES: Readonly<Record<string, string>> = {
  axis: 'dim',
  keepdims: 'keepdim',
  self: 'input',
  x: 'input',
  ord: 'p',
}
/** Where a tensor lives and how it is stored changes no value. */
const IGNORED = new Set([
  'device',
  'layout',
  'memory_format',
  'non_blocking',
  'copy',
  'pin_memory',
  'requires_grad',
  'inplace',
])
