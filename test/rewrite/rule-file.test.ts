import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { UserError } from '../../src/base/errors.ts'
import { float, int, ints } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { namedDim } from '../../src/ir/dim.ts'
import type { ValueId } from '../../src/ir/graph.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { readRuleFiles } from '../../src/rewrite/custom/rule-file.ts'
import { explore } from '../../src/rewrite/explore.ts'
import { findMisses } from '../../src/rewrite/misses.ts'
import type { Rule } from '../../src/rewrite/rule.ts'
import { ruleFamilies } from '../../src/rewrite/rules/index.ts'

const EXAMPLE = new URL('../../examples/rules/element-wise.json', import.meta.url).pathname
const LIMITS = { iterationLimit: 6, nodeLimit: 2000, timeLimitMs: 20_000 }

describe('rule files', function () {
  this.timeout(120_000)
  const folder = mkdtempSync(join(tmpdir(), 'allotrope rules '))
  after(() => rmSync(folder, { recursive: true }))

  function file(...rules: readonly Record<string, unknown>[]): string {
    const path = join(folder, 'rules.json')
    const named = rules.map((rule) => ({ name: 'mine', ...rule }))
    writeFileSync(path, JSON.stringify({ schema: 'allotrope.rules/1', rules: named }))
    return path
  }
  const read = (rule: Record<string, unknown>) => readRuleFiles([file(rule)], 0)
  function complaintOf(rule: Record<string, unknown>) {
    try {
      read(rule)
    } catch (error) {
      if (error instanceof UserError) return error.complaint
      throw error
    }
    throw new Error('the rule was taken')
  }

  const build = (make: (b: GraphBuilder) => ValueId, opset = 20) => {
    const b = new GraphBuilder('g', new Map([['', opset]]))
    b.output(make(b), 'y')
    return b.build()
  }
  /** How often a rule of the user's fires in a graph, no other rule being allowed. */
  function fires(rule: Rule, graph: ReturnType<typeof build>): number {
    const e = explore(graph, { ...LIMITS, more: [rule], allows: (r) => r === rule })
    return e.search.rules[0]!.applied
  }
  const constant = (b: GraphBuilder, shape: readonly number[], values: readonly number[]) =>
    b.constant(tensor('float32', shape, values))

  it('takes the example, each rule tried on cases of many shapes in which it fires', () => {
    const proved = readRuleFiles([EXAMPLE], 0)
    expect(proved.map((p) => p.rule.name)).to.deep.equal([
      'root-of-square',
      'quotient-of-exponentials',
      'relu-of-scaled',
      'relu-of-scaled-reversed',
      'softmax-of-shifted',
    ])
    for (const p of proved) {
      expect(p.cases, p.rule.name).to.be.greaterThan(300)
      expect(p.fires, p.rule.name).to.be.greaterThan(30)
    }
  })

  it('refuses a law that does not hold, with the smallest case in round numbers', () => {
    const { code, got } = complaintOf({ law: 'Sqrt(Mul(x, x)) => x' })
    expect(code).to.equal('wrong-rule')
    expect(got).to.match(/ at x = float32\[\d?\]\{-1\}: left float32\[\d?\]\{1\}, right float32\[\d?\]\{-1\}$/)
  })

  it('finds the shapes for which a law is wrong: a vector between two matrices', () => {
    const law = 'MatMul(MatMul(x, a), b) => MatMul(x, MatMul(a, b))'
    expect(complaintOf({ law, exactness: 'finite' }).code).to.equal('wrong-rule')
    const where = ['rank(x) = 2', 'rank(a) = 2', 'rank(b) = 2']
    expect(read({ law, where, exactness: 'finite' })).to.have.length(1)
  })

  it('holds each exactness to what it says of infinities, NaN and zeros', () => {
    const distribute = { law: 'Mul(Add(a, b), c) => Add(Mul(a, c), Mul(b, c))' }
    expect(complaintOf(distribute).fix).to.contain('"finite"')
    expect(read({ ...distribute, exactness: 'finite' })).to.have.length(1)
    const zero = { law: 'Sub(0, x) => Neg(x)' }
    expect(complaintOf({ ...zero, exactness: 'exact' }).code, '0 - 0 is not -0').to.equal('wrong-rule')
    expect(read(zero)).to.have.length(1)
  })

  it('says what is wrong with a rule that is none', () => {
    expect(complaintOf({ law: 'Foo(x) => x' })).to.include({ code: 'unknown-operator', got: 'Foo' })
    expect(complaintOf({ law: 'RandomNormalLike(x) => x' }).code).to.equal('unknown-operator')
    expect(complaintOf({ law: 'Relu(x) => Relu(y)' })).to.include({ code: 'unbound-variable', got: 'y' })
    expect(complaintOf({ law: 'Relu(x) => x', where: ['rank(z) = 1'] })).to.include({ code: 'unbound-variable' })
    expect(complaintOf({ law: 'Relu(x) => x', where: ['odd(x)'] }).expected).to.contain('same-shape(x, y)')
    expect(complaintOf({ law: 'Relu(x => x' }).where).to.match(/line 1, column 8 of the law of rule mine/)
    expect(complaintOf({ law: 'Relu{axis=1}(x) => x' }).expected).to.contain('attribute of Relu')
    expect(complaintOf({ law: 'x => Relu(x)' }).expected).to.contain('left side')
    expect(complaintOf({ law: 'Relu(x) => x', exactness: 'roughly' }).code).to.equal('bad-rule-file')
    expect(complaintOf({ law: 'Conv(x, w) => MatMul(x, w)', where: ['rank(x) = 1'] }).code).to.equal('bad-rule')
    expect(complaintOf({ law: 'Add(x, y) => Add(y, x)' }).code).to.equal('idle-rule')
    const name = ruleFamilies[1]!.rules[0]!.name
    expect(() => readRuleFiles([file({ name, law: 'Sqrt(Mul(x, x)) => Abs(x)' })], 0)).to.throw(name)
  })
  it('looks at the names of all rules before it tries one, which takes seconds', () => {
    const twice = [file({ law: 'Relu(x) => Abs(x)' }), file({ law: 'Relu(x) => Neg(x)' })]
    expect(() => readRuleFiles(twice, 0)).to.throw('names that no other rule has')
  })

  it('matches what exporters write, whatever the canonical form makes of it', () => {
    const [rule] = read({ law: 'Relu(Conv(x, w, b)) => Neg(Min(0, Neg(Conv(x, w, b))))', exactness: 'finite' })
    const conv = (kernel: number) =>
      build((b) => {
        const w = constant(
          b,
          [2, 2, kernel, kernel],
          Array.from({ length: 4 * kernel ** 2 }, (_, i) => i + 1),
        )
        const x = b.input('x', 'float32', [namedDim('n'), 2, 4, 4])
        return b.node('Relu', [b.node('Conv', [x, w, constant(b, [2], [1, -1])], { strides: ints([1, 1]) })])
      })
    expect(fires(rule!.rule, conv(3)), 'a convolution').to.equal(1)
    expect(fires(rule!.rule, conv(1)), 'one that is a linear map').to.equal(1)
    const [sub] = read({ law: 'Exp(Sub(x, a)) => Div(Exp(x), Exp(a))', exactness: 'finite' })
    const difference = build((b) =>
      b.node('Exp', [b.node('Sub', [b.input('x', 'float32', [2, 3]), constant(b, [3], [1, 2, 3])])]),
    )
    expect(fires(sub!.rule, difference), 'a subtraction that became a sum').to.equal(1)
    const [leaky] = read({ law: 'LeakyRelu(LeakyRelu(x)) => LeakyRelu{alpha=0.0001}(x)' })
    const twice = (alpha: number) =>
      build((b) => {
        const inner = b.node('LeakyRelu', [b.input('x', 'float32', [4])], { alpha: float(Math.fround(alpha)) })
        return b.node('LeakyRelu', [inner], { alpha: float(Math.fround(alpha)) })
      })
    expect(fires(leaky!.rule, twice(0.01)), 'a default that is written out').to.equal(1)
    expect(fires(leaky!.rule, twice(0.02)), 'another attribute').to.equal(0)
  })

  it('tells where the rule matched and why it did not fire', () => {
    const [rule] = read({ law: 'Relu(Mul(x, c)) => Mul(Relu(x), c)', where: ['positive(c)'] })
    const graph = build((b) => {
      const x = b.input('x', 'float32', [2, 3])
      const scaled = [2, -2].map((k) => b.node('Relu', [b.node('Mul', [x, constant(b, [1], [k])])]))
      return b.node('Concat', scaled, { axis: int(0) })
    })
    const e = explore(graph, { ...LIMITS, more: [rule!.rule], allows: (r) => r === rule!.rule })
    const [miss] = findMisses(
      e,
      (name) => name === 'mine',
      (v) => graph.values[v]!.name,
    )
    expect(miss).to.deep.include({ rule: 'mine', looked: 3, fires: 1 })
    expect(miss!.refused).to.have.length(1)
    expect(miss!.refused[0]).to.include({ reason: 'c is not known to be positive', count: 1, where: 'Relu_1_out' })
    const old = explore(
      build((b) => b.node('Relu', [b.node('Mul', [b.input('x', 'float32', [2]), constant(b, [1], [2])])]), 13),
      {
        ...LIMITS,
        more: [rule!.rule],
      },
    )
    expect(findMisses(old, (name) => name === 'mine', String)[0]!.refused[0]!.reason).to.contain('opset')
  })
})
