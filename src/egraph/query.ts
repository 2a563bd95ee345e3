// A pattern, or several that share variables, as a conjunctive query: one atom `root = op(children)` per operator in it,
// and a plan: in which order the atoms are joined and through which index each is entered. Relational e-matching: Zhang,
// Wang, Willsey, Tatlock (POPL 2022); here with nested loops over sorted columns.
import type { OpId } from './ids.ts'
import type { Pattern } from './pattern.ts'

/** A class in the query: a slot of the match, or a ground term that is looked up once per search. */
export type Place =
  | { readonly kind: 'slot'; readonly slot: number }
  | { readonly kind: 'ground'; readonly ground: number }

interface Atom {
  readonly op: OpId
  readonly root: number
  readonly children: readonly Place[]
}

/** How an atom's rows are entered: all of them, those of a bound class, or those with a bound class as child `column`. */
export type Access =
  | { readonly kind: 'scan' }
  | { readonly kind: 'class' }
  | { readonly kind: 'child'; readonly column: number }

export interface Step {
  readonly atom: Atom
  readonly access: Access
  /** Which of root (-1) and children (0 ..) first bind their slot here; all other places are compared. */
  readonly binds: readonly number[]
}

export interface Query {
  readonly steps: readonly Step[]
  /** Ground terms, by the number used in places. */
  readonly grounds: readonly Pattern[]
  readonly slotCount: number
  /** Slot of each pattern variable, by name. */
  readonly slotOf: ReadonlyMap<string, number>
  /** The pattern is a lone variable and matches every class. */
  readonly isVariable: boolean
}

/** One pattern, and the variable that its root is bound to (null: none). */
export interface RootedPattern {
  readonly root: string | null
  readonly pattern: Pattern
}

/** The query whose matches are exactly those of all patterns together. */
export function compileQuery(patterns: readonly RootedPattern[]): Query {
  const builder = new Flattener()
  for (const { root, pattern } of patterns) builder.addRoot(root, pattern)
  return {
    steps: plan(builder.atoms),
    grounds: builder.grounds,
    slotCount: builder.slotCount,
    slotOf: builder.slots,
    isVariable: builder.isVariable,
  }
}

class Flattener {
  readonly atoms: Atom[] = []
  readonly grounds: Pattern[] = []
  readonly slots = new Map<string, number>()
  slotCount = 0
  isVariable = false

  addRoot(root: string | null, pattern: Pattern): void {
    if (pattern.kind === 'variable') {
      this.isVariable = true
      this.slotFor(pattern.name)
      return
    }
    const slot = root === null ? this.slotCount++ : this.slotFor(root)
    if (pattern.children.length === 0) {
      this.atoms.push({ op: pattern.op, root: slot, children: [] })
      return
    }
    this.addTerm(slot, pattern)
  }

  private addTerm(root: number, pattern: Pattern & { kind: 'term' }): void {
    const nested: (() => void)[] = []
    const children = pattern.children.map((child): Place => {
      if (isGround(child)) return { kind: 'ground', ground: this.grounds.push(child) - 1 }
      if (child.kind === 'variable') return { kind: 'slot', slot: this.slotFor(child.name) }
      const slot = this.slotCount++
      nested.push(() => this.addTerm(slot, child))
      return { kind: 'slot', slot }
    })
    this.atoms.push({ op: pattern.op, root, children })
    for (const add of nested) add()
  }

  private slotFor(name: string): number {
    const known = this.slots.get(name)
    if (known !== undefined) return known
    this.slots.set(name, this.slotCount)
    return this.slotCount++
  }
}

function isGround(pattern: Pattern): boolean {
  return pattern.kind === 'term' && pattern.children.every(isGround)
}

/** Greedy: next an atom whose class is bound, else one with a bound child, else a scan; ties in the written order. */
function plan(atoms: readonly Atom[]): Step[] {
  const bound = new Set<number>()
  const left = [...atoms]
  const steps: Step[] = []
  while (left.length > 0) {
    const scored = left.map((atom) => ({ atom, access: accessOf(atom, bound) }))
    const best =
      scored.find(({ access }) => access.kind === 'class') ??
      scored.find(({ access }) => access.kind === 'child') ??
      scored[0]!
    left.splice(left.indexOf(best.atom), 1)
    steps.push({ ...best, binds: bind(best.atom, bound) })
  }
  return steps
}

function accessOf(atom: Atom, bound: ReadonlySet<number>): Access {
  if (bound.has(atom.root)) return { kind: 'class' }
  const column = bound.size === 0 ? -1 : atom.children.findIndex((p) => p.kind === 'slot' && bound.has(p.slot))
  return column < 0 ? { kind: 'scan' } : { kind: 'child', column }
}

function bind(atom: Atom, bound: Set<number>): number[] {
  const binds: number[] = []
  const enter = (slot: number, position: number) => {
    if (bound.has(slot)) return
    bound.add(slot)
    binds.push(position)
  }
  enter(atom.root, -1)
  atom.children.forEach((place, i) => {
    if (place.kind === 'slot') enter(place.slot, i)
  })
  return binds
}
