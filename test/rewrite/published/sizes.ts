// Sizes for the variables of a law: what both sides demand is collected as equations between sizes (equal, or a sum of others), and numbers
// that satisfy them are drawn.
import type { Random } from '../../../src/base/random.ts'
import { type Law, type Term, variablesOf } from './notation.ts'

/** Shapes of the variables, by name. */
export type Shapes = ReadonlyMap<string, readonly number[]>
type Size = number

/** One size as a function of others. `share` is what each part is of a total where all of them are one size. */
interface Relation {
  readonly total: Size
  readonly parts: readonly Size[]
  compute(parts: readonly number[]): number
  share(total: number): number | null
}

/** Equations between sizes: a union-find, fixed numbers, and sizes that are functions of others. */
class Equations {
  private readonly parent: Size[] = []
  private readonly fixed = new Map<Size, number>()
  private readonly relations: Relation[] = []

  fresh(): Size {
    this.parent.push(this.parent.length)
    return this.parent.length - 1
  }
  isFixed(s: Size): boolean {
    return this.fixed.has(this.find(s))
  }
  number(value: number): Size {
    const s = this.fresh()
    this.fixed.set(s, value)
    return s
  }
  sum(parts: readonly Size[]): Size {
    const compute = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
    return this.relate({ total: this.fresh(), parts, compute, share: (total) => total / parts.length })
  }
  /** Places of a window of `kernel` along `size`. */
  windows(size: Size, kernel: number, stride: number, padding: number): Size {
    const compute = ([n]: readonly number[]) => Math.floor((n! + 2 * padding - kernel) / stride) + 1
    return this.relate({ total: this.fresh(), parts: [size], compute, share: () => null })
  }
  private relate(relation: Relation): Size {
    this.relations.push(relation)
    return relation.total
  }
  equal(a: readonly Size[], b: readonly Size[]): void {
    a.forEach((s, i) => {
      const [x, y] = [this.find(s), this.find(b[i]!)]
      if (this.fixed.has(x)) this.parent[y] = x
      else this.parent[x] = y
    })
  }
  private find(s: Size): Size {
    return this.parent[s] === s ? s : this.find(this.parent[s]!)
  }

  /** Numbers for all sizes, free ones drawn one after another; null if they do not satisfy the equations. */
  solve(draw: () => number): ((s: Size) => number) | null {
    const values = new Map(this.fixed)
    const totals = new Set(this.relations.map((r) => this.find(r.total)))
    for (let s = 0; s < this.parent.length; s++) {
      if (!this.propagate(values)) return null
      if (this.find(s) === s && !totals.has(s) && !values.has(s)) values.set(s, draw())
    }
    return this.propagate(values) ? (s) => values.get(this.find(s))! : null
  }

  /** Settles what follows from what is known; false on a contradiction. */
  private propagate(values: Map<Size, number>): boolean {
    for (let before = -1; before !== values.size; ) {
      before = values.size
      if (!this.relations.every((r) => this.settle(r, values))) return false
    }
    return true
  }

  private settle({ total, parts, compute, share }: Relation, values: Map<Size, number>): boolean {
    const roots = parts.map((p) => this.find(p))
    const known = roots.map((p) => values.get(p))
    const whole = values.get(this.find(total))
    if (!known.includes(undefined)) return put(values, this.find(total), compute(known as number[]))
    const part = whole !== undefined && roots.every((p) => p === roots[0]) ? share(whole) : null
    return part === null || put(values, roots[0]!, part)
  }
}

/** Notes a size; false if it is none, or not the one that is noted. */
function put(values: Map<Size, number>, s: Size, value: number): boolean {
  if (!Number.isInteger(value) || value < 1 || (values.get(s) ?? value) !== value) return false
  values.set(s, value)
  return true
}

/** Kernels that are enlarged: they are 1x1. */
const enlargedIn = (t: Term): string[] => (t.op === 'enlarge' ? [t.args[0]!.name] : t.args.flatMap(enlargedIn))

class Demands {
  readonly equations = new Equations()
  readonly variables = new Map<string, Size[]>()
  private readonly kernel: number

  constructor(law: Law, kernel: number) {
    this.kernel = kernel
    const small = law.right.flatMap(enlargedIn)
    for (const name of variablesOf(law)) this.variables.set(name, this.shape(law, small.includes(name)))
    law.left.forEach((t, i) => {
      this.equations.equal(this.of(t), this.of(law.right[i]!))
    })
  }

  private shape(law: Law, small: boolean): Size[] {
    const { equations } = this
    const outer = [equations.fresh(), equations.fresh()]
    const side = () => (small ? equations.number(1) : equations.fresh())
    return law.pictures ? [...outer, side(), side()] : outer
  }

  private of(t: Term): Size[] {
    if (t.op === 'name') return this.variables.get(t.name)!
    const [a, b] = t.args.slice(0, 2).map((x) => this.of(x))
    switch (t.op) {
      case '+':
      case '*':
        this.equations.equal(a!, b!)
        return a!
      case '@':
        this.equations.equal([a![1]!], [b![0]!])
        return [a![0]!, b![1]!]
      case '|':
        return this.join(a!, b!, 1)
      case ';':
        return this.join(a!, b!, 0)
      case 'first|':
      case 'second|':
        return a!.map((s, i) => (i === 1 ? this.equations.fresh() : s))
      case 'first;':
      case 'second;':
        return a!.map((s, i) => (i === 0 ? this.equations.fresh() : s))
      case 'conv':
      case 'convnorm':
        return this.conv(t, a!, b!)
      case 'enlarge':
        return [a![0]!, a![1]!, b![2]!, b![3]!]
      case 'merge':
        return [a![0]!, this.equations.sum([a![1]!, a![1]!]), a![2]!, a![3]!]
      case 'relu':
      case 'batchnorm':
        return a!
      default:
        throw new Error(`${t.op} is not an operator of laws.txt`)
    }
  }

  private join(a: Size[], b: Size[], axis: number): Size[] {
    const total = this.equations.sum([a[axis]!, b[axis]!])
    a.forEach((s, i) => {
      if (i !== axis) this.equations.equal([s], [b[i]!])
    })
    return a.map((s, i) => (i === axis ? total : s))
  }

  private conv({ flags }: Term, x: Size[], w: Size[]): Size[] {
    const groups = groupsOf(flags)
    const times = (s: Size) => this.equations.sum(new Array<Size>(groups).fill(s))
    this.equations.equal([x[1]!], [groups === 1 ? w[1]! : times(w[1]!)])
    if (groups > 1) this.equations.equal([w[0]!], [times(this.equations.fresh())])
    for (const s of w.slice(2))
      if (!this.equations.isFixed(s)) this.equations.equal([this.equations.number(this.kernel)], [s])
    const stride = flags.includes('s2') ? 2 : 1
    const padded = !flags.includes('valid')
    const slide = (size: Size) =>
      padded && stride === 1
        ? size
        : this.equations.windows(size, this.kernel, stride, padded ? (this.kernel - 1) / 2 : 0)
    return [x[0]!, w[0]!, slide(x[2]!), slide(x[3]!)]
  }
}

/** Of a convolution with these flags. */
export const groupsOf = (flags: readonly string[]): number => (flags.includes('g4') ? 4 : flags.includes('g2') ? 2 : 1)

const TRIES = 500

/** Shapes at which both sides of a law are well formed. `kernel`: side of the convolutions' kernels. */
export function drawShapes(law: Law, random: Random, choices: readonly number[], kernel: number): Shapes {
  const demands = new Demands(law, kernel)
  for (let i = 0; i < TRIES; i++) {
    const value = demands.equations.solve(() => choices[random.below(choices.length)]!)
    if (value) return new Map([...demands.variables].map(([name, sizes]) => [name, sizes.map(value)]))
  }
  throw new Error(`no sizes found for law ${law.number}: ${law.text}`)
}
