// Looking for an e-node that may be written in another way: with the operands of a commutative operator in the other order, or
// with attributes that only say what holds without them.
import type { ClassId, EGraph } from '../egraph/egraph.ts'
import { type Attribute, type Attributes, attributeKey, float, int, ints, text } from '../ir/attribute.ts'
import type { AttributeSpec, Op } from '../ir/op.ts'
import { findOp } from '../ir/ops/index.ts'
import { familyOf, payloadKey, type TensorOp } from './tensor-op.ts'

/** An e-node that was asked for is not there. */
export class Absent extends Error {}
export function absent(): never {
  throw new Absent('no such e-node')
}

/** The class of `op` on `children` in any spelling, or null. Adds nothing. */
export function findSpelled(egraph: EGraph<TensorOp>, op: TensorOp, children: readonly ClassId[]): ClassId | null {
  const orders = isCommutative(op) && children.length === 2 ? [children, [...children].reverse()] : [children]
  for (const spelled of attributeSpellings(op)) {
    const id = egraph.operators.lookup(familyOf(spelled), payloadKey(spelled))
    for (const order of id === -1 ? [] : orders) {
      const c = egraph.lookup(id as Exclude<typeof id, -1>, order)
      if (c !== -1) return c
    }
  }
  return null
}

/** True if the operands may be swapped. */
export function isCommutative(op: TensorOp): boolean {
  return op.kind === 'onnx' && (findOp(op.domain, op.op)?.laws?.includes('commutative') ?? false)
}

/** The operator as it is, with all defaults written out, and with none. */
function attributeSpellings(op: TensorOp): readonly TensorOp[] {
  const record = op.kind === 'onnx' ? findOp(op.domain, op.op) : null
  if (op.kind !== 'onnx' || !record) return [op]
  const defaults = defaultsOf(record)
  const said = Object.entries(op.attributes).filter(
    ([name, a]) => !defaults[name] || attributeKey(defaults[name]) !== attributeKey(a),
  )
  return [op, { ...op, attributes: { ...defaults, ...op.attributes } }, { ...op, attributes: Object.fromEntries(said) }]
}

function defaultsOf(record: Op): Attributes {
  const known = Object.entries(record.attributes).flatMap(([name, spec]) => {
    const value = attributeOf(spec, spec.default)
    return value === null ? [] : [[name, value] as const]
  })
  return Object.fromEntries(known)
}

/** A plain value as an attribute of the kind that `spec` asks for; null if it cannot be one. */
export function attributeOf(
  spec: AttributeSpec,
  value: number | string | readonly number[] | undefined,
): Attribute | null {
  if (spec.kind === 'int' && Number.isSafeInteger(value)) return int(value as number)
  if (spec.kind === 'float' && typeof value === 'number') return float(Math.fround(value))
  if (spec.kind === 'string' && typeof value === 'string') return text(value)
  if (spec.kind === 'ints' && Array.isArray(value) && value.every(Number.isSafeInteger)) return ints(value as number[])
  if (spec.kind === 'floats' && Array.isArray(value)) return { kind: 'floats', value: value.map(Math.fround) }
  return null
}
