// The axis map of any operator: the record's own, or what broadcasting says of an element-wise one.
import type { AxisMap, AxisSource, Call, Op } from './op.ts'
import { broadcastAll, legacyAxis } from './ops/define.ts'
import { broadcastSource } from './ops/operands.ts'

/** Axis map of a call, or null where nothing is known. The types of all inputs that are present must be known. */
export function axisMapOf(op: Op, call: Call): AxisMap | null {
  if (!op.elementwise) return op.axes?.(call) ?? null
  if (legacyAxis(call) !== null) return null
  const out = broadcastAll(call)
  return out.map((_, axis) => call.inputs.map((type): AxisSource => broadcastSource(type?.shape ?? null, out, axis)))
}
