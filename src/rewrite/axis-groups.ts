// Reshape as a grouping of axes. A group takes `inputs` neighbouring axes and makes `sizes.length` axes of them; a size of
// null is whatever the others leave. So a reshape means the same at every shape of the axes that pass through it whole,
// which a list of target sizes does not.
import { type Dim, dimEquals, dimKey, exactDiv, mulDims } from '../ir/dim.ts'
import { elementCountDim, type Shape } from '../ir/shape.ts'

export interface AxisGroup {
  readonly inputs: number
  readonly sizes: readonly (Dim | null)[]
}
export type AxisGroups = readonly AxisGroup[]

const PASS: AxisGroup = { inputs: 1, sizes: [null] }

/** The grouping that turns `from` into `to`, or null if their sizes cannot be shown to agree. */
export function groupAxes(from: Shape, to: Shape): AxisGroups | null {
  const groups: AxisGroup[] = []
  let i = 0
  let j = 0
  while (i < from.length || j < to.length) {
    if (i < from.length && j < to.length && dimEquals(from[i]!, to[j]!)) {
      groups.push(PASS)
      i++
      j++
    } else if (i < from.length && from[i] === 1) {
      groups.push({ inputs: 1, sizes: [] })
      i++
    } else if (j < to.length && to[j] === 1) {
      groups.push({ inputs: 0, sizes: [1] })
      j++
    } else {
      const group = smallestGroup(from, to, i, j)
      if (!group) return null
      groups.push({
        inputs: group.inputs,
        sizes: inferable(from.slice(i, i + group.inputs), to.slice(j, j + group.outputs)),
      })
      i += group.inputs
      j += group.outputs
    }
  }
  return groups
}

/** Fewest axes from (i, j) on whose products agree. */
function smallestGroup(from: Shape, to: Shape, i: number, j: number): { inputs: number; outputs: number } | null {
  for (let total = 2; total <= from.length - i + to.length - j; total++)
    for (let inputs = 1; inputs < total; inputs++) {
      const outputs = total - inputs
      if (i + inputs > from.length || j + outputs > to.length) continue
      const a = elementCountDim(from.slice(i, i + inputs))
      if (dimEquals(a, elementCountDim(to.slice(j, j + outputs)))) return { inputs, outputs }
    }
  return null
}

/** Sizes with at most one left open: the single output, or the one symbolic one. */
function inferable(from: Shape, to: Shape): (Dim | null)[] {
  if (to.length === 1) return [null]
  const symbolic = to.flatMap((d, k) => (typeof d === 'number' ? [] : [k]))
  const open = symbolic.length === 1 && from.some((d) => typeof d !== 'number') ? symbolic[0]! : -1
  return to.map((d, k) => (k === open ? null : d))
}

/** Shape after the grouping, or null if it does not fit. */
export function applyGroups(groups: AxisGroups, shape: Shape): Shape | null {
  const out: Dim[] = []
  let i = 0
  for (const g of groups) {
    const count = elementCountDim(shape.slice(i, i + g.inputs))
    i += g.inputs
    const fixed = g.sizes.reduce<Dim>((product, s) => (s === null ? product : mulDims(product, s)), 1)
    // 0 / 0 is no size, but no elements are no elements.
    const rest = count === 0 && fixed === 0 && !g.sizes.includes(null) ? 1 : exactDiv(count, fixed)
    if (rest === null || (!g.sizes.includes(null) && rest !== 1)) return null
    for (const s of g.sizes) out.push(s ?? rest)
  }
  return i === shape.length ? out : null
}

/** For each output axis the input axis it is, where one axis passes whole; else null. */
export function passingAxes(groups: AxisGroups): readonly (number | null)[] {
  const out: (number | null)[] = []
  let i = 0
  for (const g of groups) {
    for (const _ of g.sizes) out.push(g.inputs === 1 && g.sizes.length === 1 ? i : null)
    i += g.inputs
  }
  return out
}

/** Output axes that a group of size-1 makes out of nothing (`inputs` 0). */
export function insertedAxes(groups: AxisGroups): readonly boolean[] {
  return groups.flatMap((g) => g.sizes.map(() => g.inputs === 0))
}

export function groupsKey(groups: AxisGroups): string {
  return groups.map((g) => `${g.inputs}:${g.sizes.map((s) => (s === null ? '*' : dimKey(s))).join(',')}`).join('|')
}
