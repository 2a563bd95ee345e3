// A dimension: a number, or a symbolic integer expression. Expressions are kept in one normal form (a polynomial with
// integer coefficients over atoms), so that equal dimensions have equal keys. An atom is a named input dimension
// ("batch"), or a floor division or max/min that does not simplify. Used by shape inference and by every rule that must
// hold at all input shapes. Not a general computer algebra: what cannot be shown equal counts as different.

export type Dim = number | SymbolicDim

export interface SymbolicDim {
  readonly kind: 'symbolic'
  /** Canonical text; equal expressions have equal keys. */
  readonly key: string
  readonly terms: readonly Term[]
}
interface Term {
  readonly coefficient: number
  readonly atoms: readonly Atom[] // sorted by key, repeated for powers; empty for the constant term
}
type Atom =
  | { readonly kind: 'name'; readonly key: string }
  | { readonly kind: 'floorDiv'; readonly key: string; readonly a: Dim; readonly b: Dim }
  | { readonly kind: 'max' | 'min'; readonly key: string; readonly a: Dim; readonly b: Dim }

/** Values of the named dimensions, for `evaluateDim`. */
export type Bindings = ReadonlyMap<string, number>

const isNumber = (d: Dim): d is number => typeof d === 'number'

function termKey(t: Term): string {
  const atoms = t.atoms.map((a) => a.key).join('*')
  if (t.atoms.length === 0) return String(t.coefficient)
  return t.coefficient === 1 ? atoms : `${t.coefficient}*${atoms}`
}

function fromTerms(terms: readonly Term[]): Dim {
  const merged = new Map<string, Term>()
  for (const t of terms) {
    const key = t.atoms.map((a) => a.key).join('*')
    const old = merged.get(key)
    merged.set(key, { coefficient: (old?.coefficient ?? 0) + t.coefficient, atoms: t.atoms })
  }
  const kept = [...merged.entries()].filter(([, t]) => t.coefficient !== 0).sort(([x], [y]) => (x < y ? 1 : -1))
  if (kept.length === 0) return 0
  const list = kept.map(([, t]) => t)
  if (list.length === 1 && list[0]!.atoms.length === 0) return list[0]!.coefficient
  const text = list.map(termKey).join('+')
  return { kind: 'symbolic', key: list.length === 1 ? text : `(${text})`, terms: list }
}

const termsOf = (d: Dim): readonly Term[] => (isNumber(d) ? (d === 0 ? [] : [{ coefficient: d, atoms: [] }]) : d.terms)
const ofAtom = (atom: Atom): Dim => fromTerms([{ coefficient: 1, atoms: [atom] }])

/** The dimension called `name`. Two dimensions of one name are equal. */
export function namedDim(name: string): Dim {
  return ofAtom({ kind: 'name', key: name })
}

/** Text of a dimension; equal dimensions have equal texts. */
export function dimKey(d: Dim): string {
  return isNumber(d) ? String(d) : d.key
}

/** True only if the two are provably equal. */
export function dimEquals(a: Dim, b: Dim): boolean {
  return isNumber(a) || isNumber(b) ? a === b : a.key === b.key
}

export function addDims(a: Dim, b: Dim): Dim {
  return isNumber(a) && isNumber(b) ? a + b : fromTerms([...termsOf(a), ...termsOf(b)])
}

export function mulDims(a: Dim, b: Dim): Dim {
  if (isNumber(a) && isNumber(b)) return a * b
  const product: Term[] = []
  for (const x of termsOf(a))
    for (const y of termsOf(b)) {
      const atoms = [...x.atoms, ...y.atoms].sort((p, q) => (p.key < q.key ? -1 : p.key > q.key ? 1 : 0))
      product.push({ coefficient: x.coefficient * y.coefficient, atoms })
    }
  return fromTerms(product)
}

export function subDims(a: Dim, b: Dim): Dim {
  return addDims(a, mulDims(b, -1))
}

/** Exact quotient if b divides every term of a, else null. */
export function exactDiv(a: Dim, b: Dim): Dim | null {
  if (isNumber(b) && b === 0) return null
  if (dimEquals(a, b)) return 1
  if (isNumber(a) && isNumber(b)) return a % b === 0 ? a / b : null
  const divisor = termsOf(b)
  if (divisor.length !== 1) return dividePolynomial(a, b)
  const { coefficient, atoms } = divisor[0]!
  const quotient: Term[] = []
  for (const t of termsOf(a)) {
    if (t.coefficient % coefficient !== 0) return null
    const rest = [...t.atoms]
    for (const atom of atoms) {
      const at = rest.findIndex((r) => r.key === atom.key)
      if (at < 0) return null
      rest.splice(at, 1)
    }
    quotient.push({ coefficient: t.coefficient / coefficient, atoms: rest })
  }
  return fromTerms(quotient)
}

/** Quotient of a by a divisor of several terms, when a is a single-factor multiple of it (k*b with k one monomial). */
function dividePolynomial(a: Dim, b: Dim): Dim | null {
  const lead = termsOf(b)[0]!
  for (const t of termsOf(a)) {
    const candidate = exactDiv(fromTerms([t]), fromTerms([lead]))
    if (candidate !== null && dimEquals(mulDims(candidate, b), a)) return candidate
  }
  return null
}

/** floor(a / b); exact where it divides, and n*k/k parts are pulled out of the floor. */
export function floorDivDims(a: Dim, b: Dim): Dim {
  if (isNumber(a) && isNumber(b)) return Math.floor(a / b)
  const exact = exactDiv(a, b)
  if (exact !== null) return exact
  const whole: Dim[] = []
  const rest: Dim[] = []
  for (const t of termsOf(a)) {
    const part = fromTerms([t])
    const q = exactDiv(part, b)
    if (q !== null) whole.push(q)
    else if (isNumber(part) && isNumber(b) && b > 0) {
      whole.push(Math.floor(part / b))
      rest.push(part - Math.floor(part / b) * b)
    } else rest.push(part)
  }
  const remainder = rest.reduce(addDims, 0 as Dim)
  const w = whole.reduce(addDims, 0 as Dim)
  if (isNumber(remainder) && isNumber(b)) return addDims(w, Math.floor(remainder / b))
  return addDims(w, ofAtom({ kind: 'floorDiv', key: `floor(${dimKey(remainder)}/${dimKey(b)})`, a: remainder, b }))
}

export function ceilDivDims(a: Dim, b: Dim): Dim {
  return mulDims(floorDivDims(mulDims(a, -1), b), -1)
}

function extremum(kind: 'max' | 'min', a: Dim, b: Dim): Dim {
  if (isNumber(a) && isNumber(b)) return kind === 'max' ? Math.max(a, b) : Math.min(a, b)
  const difference = subDims(a, b)
  if (isNumber(difference)) return difference >= 0 === (kind === 'max') ? a : b
  const [x, y] = [a, b].sort((p, q) => (dimKey(p) < dimKey(q) ? -1 : 1)) as [Dim, Dim]
  return ofAtom({ kind, key: `${kind}(${dimKey(x)},${dimKey(y)})`, a: x, b: y })
}
export const maxDims = (a: Dim, b: Dim): Dim => extremum('max', a, b)
export const minDims = (a: Dim, b: Dim): Dim => extremum('min', a, b)

/** True only if it cannot be negative, the named dimensions being sizes (0 or more). */
export function isNonNegative(d: Dim): boolean {
  if (isNumber(d)) return d >= 0
  return d.terms.every((t) => t.coefficient >= 0 && t.atoms.every(isNonNegativeAtom))
}

function isNonNegativeAtom(a: Atom): boolean {
  if (a.kind === 'name') return true
  if (a.kind === 'max') return isNonNegative(a.a) || isNonNegative(a.b)
  return isNonNegative(a.a) && isNonNegative(a.b)
}

/** The names a dimension depends on. */
export function dimNames(d: Dim): ReadonlySet<string> {
  const names = new Set<string>()
  const visit = (x: Dim) => {
    if (isNumber(x)) return
    for (const t of x.terms)
      for (const a of t.atoms) {
        if (a.kind === 'name') names.add(a.key)
        else {
          visit(a.a)
          visit(a.b)
        }
      }
  }
  visit(d)
  return names
}

/** The dimension with the bound names replaced; a number when all its names are bound. */
export function substituteDim(d: Dim, bindings: ReadonlyMap<string, Dim>): Dim {
  if (isNumber(d)) return d
  const atomValue = (a: Atom): Dim => {
    if (a.kind === 'name') return bindings.get(a.key) ?? ofAtom(a)
    const x = substituteDim(a.a, bindings)
    const y = substituteDim(a.b, bindings)
    return a.kind === 'floorDiv' ? floorDivDims(x, y) : extremum(a.kind, x, y)
  }
  return d.terms
    .map((t) => t.atoms.map(atomValue).reduce(mulDims, t.coefficient as Dim))
    .reduce(addDims, 0 as Dim)
}

/** The number a dimension stands for, or null if a name is unbound. */
export function evaluateDim(d: Dim, bindings: Bindings): number | null {
  const value = substituteDim(d, bindings)
  return isNumber(value) ? value : null
}
