// Arithmetic that Python does while the model runs, on sizes and other plain numbers: done at import, since all are known.
import type { FxNode } from '../fx-graph.ts'
import { floatItem, type Item, integerItem } from './item.ts'

type Plain = { readonly value: number; readonly float: boolean }

const BINARY: Readonly<Record<string, (x: number, y: number) => number>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  truediv: (x, y) => x / y,
  floordiv: (x, y) => Math.floor(x / y),
  mod: (x, y) => x - Math.floor(x / y) * y,
  pow: (x, y) => x ** y,
}
const COMPARE: Readonly<Record<string, (x: number, y: number) => boolean>> = {
  eq: (x, y) => x === y,
  ne: (x, y) => x !== y,
  lt: (x, y) => x < y,
  gt: (x, y) => x > y,
  le: (x, y) => x <= y,
  ge: (x, y) => x >= y,
}
const UNARY: Readonly<Record<string, (x: number) => number>> = {
  'operator.neg': (x) => -x,
  'operator.pos': (x) => x,
  'builtins.int': Math.trunc,
  'builtins.float': (x) => x,
  'builtins.abs': Math.abs,
  'math.sqrt': Math.sqrt,
  'math.floor': Math.floor,
  'math.ceil': Math.ceil,
  'math.log': Math.log,
  'math.exp': Math.exp,
}
const WHOLE = new Set(['builtins.int', 'math.floor', 'math.ceil'])
const REAL = new Set(['builtins.float', 'math.sqrt', 'math.log', 'math.exp'])

/** The result of a call on plain numbers alone, or null: it is not one. */
export function computePlain(n: FxNode, args: readonly Item[]): Item | null {
  if (n.opcode !== 'call_function' || n.kwargs.length > 0 || args.length === 0) return null
  if (n.target === 'builtins.len' && args[0]!.kind === 'list') return integerItem(args[0]!.items.length)
  const plain = args.map(asPlain)
  if (plain.includes(null)) return null
  return plain.length === 2 ? computeTwo(n.target, plain as [Plain, Plain]) : computeOne(n.target, plain as [Plain])
}

function asPlain(i: Item): Plain | null {
  if (i.kind === 'number') return i
  return i.kind === 'boolean' ? { value: i.value ? 1 : 0, float: false } : null
}

function computeTwo(target: string, [x, y]: readonly [Plain, Plain]): Item | null {
  const name = target.replace(/^operator\.i?(?=(add|sub|mul|truediv|floordiv|mod|pow)$)|^operator\./, '')
  if (Object.hasOwn(COMPARE, name)) return { kind: 'boolean', value: COMPARE[name]!(x.value, y.value) }
  if (!Object.hasOwn(BINARY, name) || !target.startsWith('operator.')) return null
  const value = BINARY[name]!(x.value, y.value)
  const float = x.float || y.float || name === 'truediv' || !Number.isInteger(value)
  return float ? floatItem(value) : integerItem(value)
}

function computeOne(target: string, [x]: readonly [Plain]): Item | null {
  if (!Object.hasOwn(UNARY, target)) return null
  const value = UNARY[target]!(x.value)
  const float = REAL.has(target) || (x.float && !WHOLE.has(target))
  return float ? floatItem(value) : integerItem(value)
}
