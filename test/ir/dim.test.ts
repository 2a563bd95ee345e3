import { expect } from 'chai'
import fc from 'fast-check'
import { InvariantError } from '../../src/base/errors.ts'
import {
  addDims,
  ceilDivDims,
  type Dim,
  dimEquals,
  dimKey,
  dimNames,
  evaluateDim,
  exactDiv,
  floorDivDims,
  isNonNegative,
  maxDims,
  minDims,
  mulDims,
  namedDim,
  subDims,
  substituteDim,
} from '../../src/ir/dim.ts'

const [a, b, c] = ['a', 'b', 'c'].map(namedDim) as [Dim, Dim, Dim]

/** A symbolic dimension beside the function it must compute. */
interface Expression {
  readonly dim: Dim
  readonly value: (sizes: ReadonlyMap<string, number>) => number
  readonly text: string
}
const leaf = fc.oneof(
  fc.integer({ min: -4, max: 9 }).map((n): Expression => ({ dim: n, value: () => n, text: String(n) })),
  fc
    .constantFrom('a', 'b', 'c')
    .map((name): Expression => ({ dim: namedDim(name), value: (s) => s.get(name)!, text: name })),
)
type Operation = readonly [string, (x: Dim, y: Dim) => Dim, (x: number, y: number) => number]
const OPERATIONS: readonly Operation[] = [
  ['+', addDims, (x, y) => x + y],
  ['-', subDims, (x, y) => x - y],
  ['*', mulDims, (x, y) => x * y],
  ['max', maxDims, Math.max],
  ['min', minDims, Math.min],
]
const divided = (x: Expression, y: number, up: boolean): Expression => ({
  dim: (up ? ceilDivDims : floorDivDims)(x.dim, y),
  value: (s) => (up ? Math.ceil : Math.floor)(x.value(s) / y) + 0,
  text: `(${x.text} ${up ? 'ceil' : 'floor'}/ ${y})`,
})
const joined = (x: Expression, [name, f, g]: Operation, y: Expression): Expression => ({
  dim: f(x.dim, y.dim),
  value: (s) => g(x.value(s), y.value(s)) + 0,
  text: `(${x.text} ${name} ${y.text})`,
})
const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc
      .tuple(tie('expression'), fc.constantFrom(...OPERATIONS), tie('expression'))
      .map(([x, op, y]) => joined(x, op, y)),
    fc
      .tuple(tie('expression'), fc.constantFrom(-3, -1, 1, 2, 3, 4, 6, 8), fc.boolean())
      .map(([x, y, up]) => divided(x, y, up)),
  ),
}))
const sizes = fc.tuple(fc.nat(7), fc.nat(7), fc.nat(7)).map(
  ([x, y, z]) =>
    new Map([
      ['a', x],
      ['b', y],
      ['c', z],
    ]),
)
const SEED = { seed: 7, numRuns: 4000 }

describe('ir: dimensions', () => {
  it('an expression has the value that its numbers have, at all sizes', () => {
    fc.assert(
      fc.property(expression, sizes, (e, s) => {
        expect(evaluateDim(e.dim, s), `${e.text} as ${dimKey(e.dim)}`).to.equal(e.value(s))
      }),
      SEED,
    )
  })

  it('expressions that are said to be equal are equal at all sizes', () => {
    fc.assert(
      fc.property(expression, expression, sizes, (x, y, s) => {
        if (dimEquals(x.dim, y.dim)) expect(x.value(s), `${x.text} and ${y.text}`).to.equal(y.value(s))
      }),
      SEED,
    )
  })

  it('what is said to be non-negative is so at all sizes', () => {
    fc.assert(
      fc.property(expression, sizes, (e, s) => {
        if (isNonNegative(e.dim)) expect(e.value(s), e.text).to.be.at.least(0)
      }),
      SEED,
    )
  })

  it('a quotient times its divisor is the dividend, and a product divides', () => {
    fc.assert(
      fc.property(expression, expression, (x, y) => {
        const quotient = exactDiv(x.dim, y.dim)
        if (quotient !== null) expect(dimKey(mulDims(quotient, y.dim))).to.equal(dimKey(x.dim))
        if (y.dim !== 0) expect(dimKey(exactDiv(mulDims(x.dim, y.dim), y.dim)!)).to.equal(dimKey(x.dim))
      }),
      SEED,
    )
  })

  it('division by an expression is floor division wherever the divisor is positive', () => {
    fc.assert(
      fc.property(expression, expression, sizes, (x, y, s) => {
        const [n, d] = [x.value(s), y.value(s)]
        if (d <= 0) return
        const text = `${x.text} / ${y.text} as ${dimKey(floorDivDims(x.dim, y.dim))}`
        const floor = evaluateDim(floorDivDims(x.dim, y.dim), s)
        // A common factor that happens to be 0 here leaves nothing to divide.
        if (floor !== null) expect(floor, text).to.equal(Math.floor(n / d) + 0)
        const ceil = evaluateDim(ceilDivDims(x.dim, y.dim), s)
        if (ceil !== null) expect(ceil, text).to.equal(Math.ceil(n / d) + 0)
      }),
      SEED,
    )
  })

  it('substituting names in two steps is substituting them at once', () => {
    fc.assert(
      fc.property(expression, sizes, (e, s) => {
        const half = substituteDim(e.dim, new Map([['a', s.get('a')!]]))
        expect(dimNames(half).has('a')).to.equal(false)
        expect(evaluateDim(half, s), e.text).to.equal(e.value(s))
      }),
      SEED,
    )
  })

  it('sums and products in any order have one text', () => {
    expect(dimKey(addDims(addDims(a, 1), mulDims(b, 2)))).to.equal(dimKey(addDims(mulDims(2, b), addDims(1, a))))
    expect(dimKey(mulDims(mulDims(a, b), addDims(c, 1)))).to.equal('(a*b*c+a*b)')
    expect(subDims(addDims(a, b), addDims(b, a))).to.equal(0)
  })

  it('nested extrema are one, and the provably smaller operand goes', () => {
    expect(dimKey(maxDims(maxDims(a, b), a))).to.equal('max(a,b)')
    expect(dimKey(maxDims(c, maxDims(b, a)))).to.equal('max(a,b,c)')
    expect(dimKey(maxDims(a, addDims(a, b)))).to.equal('(b+a)')
    expect(minDims(a, addDims(a, 3))).to.equal(a)
    expect(maxDims(minDims(a, 1), 1)).to.equal(1)
  })

  it('halving twice is dividing by four, as strided layers do', () => {
    const halved = (x: Dim): Dim => addDims(floorDivDims(subDims(x, 1), 2), 1)
    expect(dimKey(halved(halved(a)))).to.equal('floor((a+3) / 4)')
    expect(dimKey(floorDivDims(mulDims(a, 6), 4))).to.equal('(floor(a / 2)+a)')
    expect(dimKey(floorDivDims(mulDims(a, b), mulDims(b, 2)))).to.equal('floor(a / 2)')
  })

  it('products of sums divide by their factors', () => {
    const [p, q] = [addDims(a, 1), addDims(b, c)]
    expect(exactDiv(mulDims(p, q), p)).to.deep.equal(q)
    expect(exactDiv(mulDims(p, q), subDims(a, 1))).to.equal(null)
  })

  it('a division by zero has no value', () => {
    expect(exactDiv(a, 0)).to.equal(null)
    expect(evaluateDim(floorDivDims(7, 0), new Map())).to.equal(null)
    expect(
      evaluateDim(
        floorDivDims(c, b),
        new Map([
          ['b', 0],
          ['c', 1],
        ]),
      ),
    ).to.equal(null)
  })

  it('an unbound name has no value', () => {
    expect(evaluateDim(addDims(a, 1), new Map([['b', 2]]))).to.equal(null)
  })

  it('a name that reads like an expression is refused', () => {
    for (const name of ['', '2', 'a+b', 'a*b', 'floor(a / 2)', 'max(a,b)', 'a b'])
      expect(() => namedDim(name), name).to.throw(InvariantError)
  })

  it('zero is never negative zero', () => {
    for (const d of [
      mulDims(0, -1),
      floorDivDims(0, -2),
      ceilDivDims(0, 3),
      subDims(mulDims(a, 0), 0),
      exactDiv(0, -5),
    ])
      expect(Object.is(d, 0), String(d)).to.equal(true)
  })
})
