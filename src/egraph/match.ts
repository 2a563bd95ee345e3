// Runs a query over the operator index. Two ways with the same result: a generated function of nested loops, and an
// interpreter for where code must not be generated from text. Tests hold them against each other.
import { grown } from './columns.ts'
import type { OperatorIndex, OperatorRows } from './operator-index.ts'
import type { Place, Query, Step } from './query.ts'

/** Matches, flat: per match the node of the first step, then the class of every slot. */
export class MatchBuffer {
  data = new Int32Array(1024)
  /** Matches written. */
  length = 0
  readonly width: number

  constructor(query: Query) {
    this.width = query.slotCount + 1
  }

  grow(): Int32Array {
    this.data = grown(this.data, Math.max(this.data.length * 2, this.width * 2))
    return this.data
  }
}

/**
 * Returns the number of matches, stopping at limit + 1, and writes those into `out` that involve a row changed in
 * generation `since` or later (-1: all): the others were there at a search in that generation. `grounds`: class of each
 * ground term.
 */
export type Matcher = (
  rows: readonly OperatorRows[],
  grounds: Int32Array,
  out: MatchBuffer,
  limit: number,
  since: number,
) => number

export type MatcherKind = 'generated' | 'interpreted'

/** A matcher for the query. Ask `canGenerate` before asking for generated code. */
export function createMatcher(query: Query, kind: MatcherKind): Matcher {
  return kind === 'generated' && query.steps.length > 0 ? generateMatcher(query) : interpretMatcher(query)
}

let generates: boolean | null = null

/** False where the runtime forbids code from strings (`--disallow-code-generation-from-strings`). Tried once. */
export function canGenerate(): boolean {
  generates ??= tryToGenerate()
  return generates
}

function tryToGenerate(): boolean {
  try {
    return new Function('return true')() === true
  } catch {
    return false
  }
}

/** The rows of each step, for a matcher. */
export function rowsForQuery(index: OperatorIndex, slots: readonly number[]): OperatorRows[] {
  return slots.map((slot) => index.rowsOf(slot))
}

// --- interpreted ---

function interpretMatcher(query: Query): Matcher {
  return (rows, grounds, out, limit, since) => {
    const slots = new Int32Array(query.slotCount)
    const { width } = out
    let count = 0
    out.length = 0
    const emit = (first: number) => {
      while ((out.length + 1) * width > out.data.length) out.grow()
      out.data[out.length * width] = first
      out.data.set(slots, out.length * width + 1)
      out.length++
    }
    const join = (depth: number, first: number, isNew: boolean): void => {
      const step = query.steps[depth]
      if (step === undefined) {
        count++
        if (isNew) emit(first)
        return
      }
      for (const row of rowsEntered(step, rows[depth]!, slots)) {
        if (count > limit) return
        if (!bindRow(step, rows[depth]!, row, slots, grounds)) continue
        join(depth + 1, depth === 0 ? rows[0]!.node[row]! : first, isNew || rows[depth]!.stamp[row]! >= since)
      }
    }
    join(0, -1, false)
    return count
  }
}

function* rowsEntered({ atom, access }: Step, rows: OperatorRows, slots: Int32Array): Generator<number> {
  if (access.kind === 'scan') {
    for (let r = 0; r < rows.count; r++) yield r
  } else if (access.kind === 'class') {
    const c = slots[atom.root]!
    for (let r = rows.start![c]!; r < rows.start![c + 1]!; r++) yield r
  } else {
    const place = atom.children[access.column] as Place & { kind: 'slot' }
    const { start, order } = rows.byChild[access.column]!
    const c = slots[place.slot]!
    for (let k = start[c]!; k < start[c + 1]!; k++) yield order[k]!
  }
}

function bindRow(step: Step, rows: OperatorRows, row: number, slots: Int32Array, grounds: Int32Array): boolean {
  const { atom, binds } = step
  if (binds.includes(-1)) slots[atom.root] = rows.cls[row]!
  else if (slots[atom.root] !== rows.cls[row]) return false
  return atom.children.every((place, i) => {
    const value = rows.columns[i]![row]!
    if (place.kind === 'ground') return grounds[place.ground] === value
    if (!binds.includes(i)) return slots[place.slot] === value
    slots[place.slot] = value
    return true
  })
}

// --- generated ---

function generateMatcher(query: Query): Matcher {
  const width = query.slotCount + 1
  const lines = ['"use strict"', 'return function match(rows, grounds, out, limit, since) {']
  lines.push(`let data = out.data, at = 0, count = 0, room = data.length - ${width}`)
  query.grounds.forEach((_, g) => {
    lines.push(`const g${g} = grounds[${g}]`)
  })
  query.steps.forEach((step, d) => {
    lines.push(...declareRows(step, d))
  })
  lines.push('done:')
  query.steps.forEach((step, d) => {
    lines.push(...openLoop(step, d), ...bindings(step, d))
  })
  const isNew = query.steps.map((_, d) => `m${d}[r${d}] >= since`).join(' || ')
  lines.push(`if (${isNew}) {`)
  lines.push(`if (at > room) { data = out.grow(); room = data.length - ${width} }`)
  lines.push('data[at] = n0[r0]')
  for (let s = 0; s < query.slotCount; s++) lines.push(`data[at + ${s + 1}] = s${s}`)
  lines.push(`at += ${width}`, '}', 'if (++count > limit) break done')
  lines.push('}'.repeat(query.steps.length), `out.length = at / ${width}`, 'return count', '}')
  return new Function(lines.join('\n'))() as Matcher
}

function declareRows({ atom, access }: Step, d: number): string[] {
  const lines = [`const t${d} = rows[${d}], n${d} = t${d}.node, k${d} = t${d}.cls, m${d} = t${d}.stamp`]
  atom.children.forEach((_, i) => {
    lines.push(`const c${d}_${i} = t${d}.columns[${i}]`)
  })
  if (access.kind === 'class') lines.push(`const b${d} = t${d}.start`)
  if (access.kind === 'child')
    lines.push(`const b${d} = t${d}.byChild[${access.column}].start, o${d} = t${d}.byChild[${access.column}].order`)
  return lines
}

function openLoop({ atom, access }: Step, d: number): string[] {
  if (access.kind === 'scan') return [`for (let r${d} = 0, e${d} = t${d}.count; r${d} < e${d}; r${d}++) {`]
  const place = access.kind === 'child' ? atom.children[access.column]! : null
  const key = place?.kind === 'slot' ? `s${place.slot}` : `s${atom.root}`
  const cursor = access.kind === 'class' ? `r${d}` : `q${d}`
  const loop = `for (let ${cursor} = b${d}[${key}], e${d} = b${d}[${key} + 1]; ${cursor} < e${d}; ${cursor}++) {`
  return access.kind === 'class' ? [loop] : [loop, `const r${d} = o${d}[q${d}]`]
}

function bindings({ atom, access, binds }: Step, d: number): string[] {
  const lines: string[] = []
  if (binds.includes(-1)) lines.push(`const s${atom.root} = k${d}[r${d}]`)
  else if (access.kind !== 'class') lines.push(`if (k${d}[r${d}] !== s${atom.root}) continue`)
  atom.children.forEach((place, i) => {
    const value = `c${d}_${i}[r${d}]`
    if (place.kind === 'ground') lines.push(`if (${value} !== g${place.ground}) continue`)
    else if (binds.includes(i)) lines.push(`const s${place.slot} = ${value}`)
    else if (access.kind !== 'child' || access.column !== i) lines.push(`if (${value} !== s${place.slot}) continue`)
  })
  return lines
}
