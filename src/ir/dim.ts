// A dimension: a number, or a symbolic integer expression. Expressions are kept in one normal form (a polynomial with
// integer coefficients over atoms), so that equal dimensions have equal keys. An atom is a named input dimension
// ("batch"), or a floor division or max/min that does not simplify. Used by shape inference and by every rule that must
// hold at all input shapes. Not a general computer algebra: what cannot be shown equal counts as different.
import { invariant } from '../base/errors.ts'

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
type Extremum = 'max' | 'min'
type Atom =
  | { readonly kind: 'name'; readonly key: string }
  | { readonly kind: 'floorDiv'; readonly key: string; readonly args: readonly [Dim, Dim] }
  | { readonly kind: Extremum; readonly key: string; readonly args: readonly Dim[] } // sorted, not nested, at least two

/** Values of the named dimensions, for `evaluateDim`. */
export type Bindings = ReadonlyMap<string, number>

const isNumber = (d: Dim): d is number => typeof d === 'number'
const atomsKey = (t: Term): string => t.atoms.map((a) => a.key).join('*')

function termKey(t: Term): string {
  if (t.atoms.length === 0) return String(t.coefficient)
  return t.coefficient === 1 ? atomsKey(t) : `${t.coefficient}*${atomsKey(t)}`
}

function fromTerms(terms: readonly Term[]): Dim {
  const merged = new Map<string, Term>()
  for (const t of terms) {
    const key = atomsKey(t)
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

/** Names that cannot be read as anything else in the text of an expression. */
export const isDimName = (text: string): boolean => /^[A-Za-z_][\w.:$/-]*$/.test(text)

/** The dimension called `name`, a size of 0 or more. Two dimensions of one name are equal. */
export function namedDim(name: string): Dim {
  invariant(isDimName(name), `'${name}' cannot name a dimension`)
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
  if (isNumber(a) && isNumber(b)) return a * b + 0
  if (a === 1) return b
  if (b === 1) return a
  return fromTerms(termsOf(a).flatMap((x) => termsOf(b).map((y) => mulTerms(x, y))))
}

function mulTerms(x: Term, y: Term): Term {
  const atoms = [...x.atoms, ...y.atoms].sort((p, q) => (p.key < q.key ? -1 : p.key > q.key ? 1 : 0))
  return { coefficient: x.coefficient * y.coefficient, atoms }
}

export function subDims(a: Dim, b: Dim): Dim {
  return isNumber(a) && isNumber(b) ? a - b : addDims(a, mulDims(b, -1))
}

/** The quotient if a is a multiple of b (as polynomials; b other than 0), else null. */
export function exactDiv(a: Dim, b: Dim): Dim | null {
  if (b === 0) return null
  if (isNumber(a) && isNumber(b)) return a % b === 0 ? a / b + 0 : null
  // Long division: the leading term of what is left shrinks in every step.
  const lead = leadingTerm(b)
  const quotient: Term[] = []
  let rest = a
  while (rest !== 0) {
    const part = divideTerm(leadingTerm(rest), lead)
    if (!part) return null
    quotient.push(part)
    rest = subDims(rest, mulDims(fromTerms([part]), b))
  }
  return fromTerms(quotient)
}

function divideTerm(a: Term, b: Term): Term | null {
  if (a.coefficient % b.coefficient !== 0) return null
  const atoms = [...a.atoms]
  for (const atom of b.atoms) {
    const at = atoms.findIndex((r) => r.key === atom.key)
    if (at < 0) return null
    atoms.splice(at, 1)
  }
  return { coefficient: a.coefficient / b.coefficient, atoms }
}

const leadingTerm = (d: Dim): Term => termsOf(d).reduce((x, y) => (isLarger(y, x) ? y : x))

/** Lexicographic order of monomials: more of the atom that comes first. Products keep it, which long division needs. */
function isLarger(x: Term, y: Term): boolean {
  for (let i = 0; i < Math.min(x.atoms.length, y.atoms.length); i++) {
    const [p, q] = [x.atoms[i]!.key, y.atoms[i]!.key]
    if (p !== q) return p < q
  }
  return x.atoms.length > y.atoms.length
}

/** floor(a / b). Multiples of b leave the floor, common factors cancel, and floors of floors become one. */
export function floorDivDims(a: Dim, b: Dim): Dim {
  if (isNumber(b) && b < 0) return floorDivDims(mulDims(a, -1), -b)
  if (isNumber(a) && isNumber(b) && b !== 0) return Math.floor(a / b) + 0
  const exact = exactDiv(a, b)
  if (exact !== null) return exact
  return isNumber(b) && b !== 0 ? floorDivByNumber(a, b) : floorDivBySymbol(a, b)
}

/** b > 1. */
function floorDivByNumber(a: Dim, b: number): Dim {
  const quotients = termsOf(a).map((t) => ({ ...t, coefficient: Math.floor(t.coefficient / b) }))
  const whole = fromTerms(quotients)
  const rest = subDims(a, mulDims(whole, b))
  if (isNumber(rest)) return whole
  const factor = rest.terms.reduce((g, t) => (t.atoms.length > 0 ? gcd(g, t.coefficient) : g), b)
  const reduced = fromTerms(rest.terms.map((t) => ({ ...t, coefficient: Math.floor(t.coefficient / factor) })))
  if (factor === b) return addDims(whole, reduced)
  return addDims(whole, floorOfFloor(reduced, b / factor) ?? floorAtom(reduced, b / factor))
}

/** floor((floor(x / m) + c) / n) = floor((x + c m) / (m n)). */
function floorOfFloor(a: Dim, n: number): Dim | null {
  const [inner, constant, ...more] = termsOf(a)
  const atom = inner!.atoms[0]
  if (inner!.coefficient !== 1 || inner!.atoms.length !== 1 || atom?.kind !== 'floorDiv') return null
  if (more.length > 0 || (constant && constant.atoms.length > 0)) return null
  const [x, m] = atom.args
  if (!isNumber(m) || m < 1) return null
  return floorDivDims(addDims(x, (constant?.coefficient ?? 0) * m), m * n)
}

function floorDivBySymbol(a: Dim, b: Dim): Dim {
  const multiples = b === 0 ? [] : termsOf(a).flatMap((t) => exactDiv(fromTerms([t]), b) ?? [])
  const whole = multiples.reduce(addDims, 0 as Dim)
  const rest = subDims(a, mulDims(whole, b))
  if (rest === 0) return whole
  const common = commonFactor([...termsOf(rest), ...termsOf(b)])
  return addDims(whole, floorAtom(exactDiv(rest, common)!, b === 0 ? 0 : exactDiv(b, common)!))
}

/** The largest monomial that divides every term. */
function commonFactor(terms: readonly Term[]): Dim {
  const shared = terms.reduce((x, y) => {
    const left = [...y.atoms]
    const atoms = x.atoms.filter((a) => {
      const at = left.findIndex((l) => l.key === a.key)
      if (at >= 0) left.splice(at, 1)
      return at >= 0
    })
    return { coefficient: gcd(x.coefficient, y.coefficient), atoms }
  })
  return fromTerms([{ ...shared, coefficient: Math.abs(shared.coefficient) }])
}

const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b))

/** The blanks keep it apart from a name with a slash in it. */
const floorAtom = (a: Dim, b: Dim): Dim =>
  ofAtom({ kind: 'floorDiv', key: `floor(${dimKey(a)} / ${dimKey(b)})`, args: [a, b] })

/** ceil(a / b); for a symbolic b, b > 0. */
export function ceilDivDims(a: Dim, b: Dim): Dim {
  if (isNumber(b) && b < 0) return ceilDivDims(mulDims(a, -1), -b)
  return exactDiv(a, b) ?? floorDivDims(addDims(a, subDims(b, 1)), b)
}

function extremum(kind: Extremum, dims: readonly Dim[]): Dim {
  const flat = dims.flatMap((d) => argsOf(kind, d))
  const above = (x: Dim, y: Dim) => isNonNegative(kind === 'max' ? subDims(x, y) : subDims(y, x))
  const kept = flat.filter((x, i) => !flat.some((y, j) => j !== i && above(y, x) && (j < i || !above(x, y))))
  if (kept.length === 1) return kept[0]!
  const args = kept.sort((p, q) => (dimKey(p) < dimKey(q) ? -1 : 1))
  return ofAtom({ kind, key: `${kind}(${args.map(dimKey).join(',')})`, args })
}

/** The operands of d where it is such an extremum itself. */
function argsOf(kind: Extremum, d: Dim): readonly Dim[] {
  if (isNumber(d) || d.terms.length !== 1) return [d]
  const { coefficient, atoms } = d.terms[0]!
  const atom = atoms[0]!
  return coefficient === 1 && atoms.length === 1 && atom.kind === kind ? atom.args : [d]
}

export function maxDims(a: Dim, b: Dim): Dim {
  return isNumber(a) && isNumber(b) ? Math.max(a, b) : extremum('max', [a, b])
}
export function minDims(a: Dim, b: Dim): Dim {
  return isNumber(a) && isNumber(b) ? Math.min(a, b) : extremum('min', [a, b])
}

/** True only if it cannot be negative, the named dimensions being sizes (0 or more). */
export function isNonNegative(d: Dim): boolean {
  return boundsOf(d).low >= 0
}

interface Bounds {
  readonly low: number
  readonly high: number
}
const times = (x: number, y: number): number => (x === 0 || y === 0 ? 0 : x * y)
const hull = (values: readonly number[]): Bounds => ({ low: Math.min(...values), high: Math.max(...values) })
const product = (x: Bounds, y: Bounds): Bounds =>
  hull([times(x.low, y.low), times(x.low, y.high), times(x.high, y.low), times(x.high, y.high)])

/** Between which numbers it lies, whatever the sizes are. */
function boundsOf(d: Dim): Bounds {
  const terms = termsOf(d).map((t) =>
    t.atoms.map(boundsOfAtom).reduce(product, { low: t.coefficient, high: t.coefficient }),
  )
  return { low: terms.reduce((s, t) => s + t.low, 0), high: terms.reduce((s, t) => s + t.high, 0) }
}

function boundsOfAtom(atom: Atom): Bounds {
  if (atom.kind === 'name') return { low: 0, high: Number.POSITIVE_INFINITY }
  const bounds = atom.args.map(boundsOf)
  const [a, b] = bounds as [Bounds, Bounds]
  if (atom.kind === 'floorDiv') {
    // A divisor is never 0; whole ones only make a quotient smaller.
    if (b.low > 0) return hull([a.low, a.high].flatMap((x) => [Math.floor(x / b.low), x < 0 ? -1 : 0]))
    return b.low >= 0 ? { low: Math.min(a.low, 0), high: Math.max(a.high, 0) } : { low: -Infinity, high: Infinity }
  }
  const best = atom.kind === 'max' ? Math.max : Math.min
  return { low: best(...bounds.map((x) => x.low)), high: best(...bounds.map((x) => x.high)) }
}

/** The names a dimension depends on. */
export function dimNames(d: Dim): ReadonlySet<string> {
  const names = new Set<string>()
  const visit = (x: Dim) => {
    for (const atom of termsOf(x).flatMap((t) => t.atoms)) {
      if (atom.kind === 'name') names.add(atom.key)
      else atom.args.forEach(visit)
    }
  }
  visit(d)
  return names
}

/** The dimension with the bound names replaced; a number when all its names are bound. */
export function substituteDim(d: Dim, bindings: ReadonlyMap<string, Dim>): Dim {
  if (isNumber(d)) return d
  const atomValue = (atom: Atom): Dim => {
    if (atom.kind === 'name') return bindings.get(atom.key) ?? ofAtom(atom)
    const args = atom.args.map((x) => substituteDim(x, bindings))
    return atom.kind === 'floorDiv' ? floorDivDims(args[0]!, args[1]!) : extremum(atom.kind, args)
  }
  return d.terms.map((t) => t.atoms.map(atomValue).reduce(mulDims, t.coefficient as Dim)).reduce(addDims, 0 as Dim)
}

/** The number a dimension stands for, or null if a name is unbound or something is divided by 0. */
export function evaluateDim(d: Dim, bindings: Bindings): number | null {
  const value = substituteDim(d, bindings)
  return isNumber(value) ? value : null
}
