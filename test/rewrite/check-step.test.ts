import { expect } from 'chai'
import { createRandom } from '../../src/base/random.ts'
import type { NodeId } from '../../src/egraph/egraph.ts'
import { int } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import type { Graph, ValueId } from '../../src/ir/graph.ts'
import { elementCount } from '../../src/ir/shape.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { checkStep } from '../../src/rewrite/check-step.ts'
import { derivationOf } from '../../src/rewrite/derivation.ts'
import { type Explored, explore, ruleOfNode } from '../../src/rewrite/explore.ts'
import type { Rule } from '../../src/rewrite/rule.ts'
import { ruleFamilies } from '../../src/rewrite/rules/index.ts'
import { ruleSamples } from './rule-samples.ts'
import { buildSample } from './sample.ts'

const LIMITS = { iterationLimit: 6, nodeLimit: 2000, timeLimitMs: 20_000 }

/** Every step that made an e-node of the e-graph, with its check. */
function checkAll(e: Explored, graph: Graph) {
  const { egraph } = e.t
  const nodes = [...egraph.classes()].flatMap((c) => egraph.nodesOf(c)).filter((n) => n < e.phases.searched)
  const input = (index: number) => {
    const { dtype, shape } = graph.values[graph.inputs[index]!]!.type!
    const random = createRandom(index)
    const draw = () => (dtype === 'int64' ? random.below(2) : random.normal())
    return {
      dtype,
      shape: shape as number[],
      data: Float64Array.from({ length: elementCount(shape as number[]) }, draw),
    }
  }
  return derivationOf(e, nodes, new Map()).map((step) => ({
    step,
    check: checkStep(e, step.nodes[0], step.nodes[1] as NodeId, { bindings: new Map(), input, seed: 1 }),
  }))
}

/** One operator on one input. */
function small(make: (b: GraphBuilder, x: ValueId) => ValueId): Graph {
  const b = new GraphBuilder('g')
  b.output(make(b, b.input('x', 'float32', [2, 3])), 'y')
  return b.build()
}

describe('steps of a derivation', function () {
  this.timeout(120_000)

  for (const { rules } of ruleFamilies)
    for (const rule of rules)
      it(`of ${rule.name} hold`, () => {
        const samples = ruleSamples[rule.name]!.map((build) => buildSample(build, 5))
        const steps = samples.flatMap((graph) => {
          const only = { more: [rule], allows: (r: Rule) => r === rule }
          return checkAll(explore(graph, { ...LIMITS, ...only }), graph)
        })
        expect(steps.length).to.be.greaterThan(0)
        for (const { step, check } of steps)
          expect(check, `${step.before} -> ${step.after}`).to.include({ holds: true })
        expect(steps.filter((s) => s.check.checked).length, 'checked').to.be.greaterThan(0)
      })

  it('of a convolution that lowering fused with its bias and activation are those of the convolution', () => {
    const graph = buildSample((s) => {
      const conv = s.conv(s.op('SpaceToDepth', [s.x([1, 2, 6, 8])], { blocksize: int(2) }), s.w([3, 8, 3, 3]), 1)
      return s.op('Relu', [s.op('Add', [conv, s.w([3, 1, 1])])])
    }, 5)
    const e = explore(graph, LIMITS)
    const fused = [...e.t.egraph.classes()].flatMap((c) => e.t.nodes(c, 'fused-conv'))
    const owed = fused.filter((n) => e.t.shape(e.t.child(n, 1)).includes(6))
    expect(owed.map((n) => ruleOfNode(e, n)?.name)).to.include('conv-of-phases')
    expect(derivationOf(e, owed, new Map()).map(({ rule }) => rule)).to.include('conv-of-phases')
  })

  const wrong = (apply: Rule['apply']): Rule => ({
    name: 'wrong',
    law: 'x + x = 2.5 x',
    condition: '',
    source: 'nowhere',
    exactness: 'exact',
    families: ['Add'],
    apply,
  })

  it('that do not hold are found', () => {
    const rule = wrong(function* (t, n) {
      yield t.mul(t.child(n, 0), t.scalar(2.5, 2))
    })
    const graph = small((b, x) => b.node('Add', [x, x]))
    const found = checkAll(explore(graph, { ...LIMITS, more: [rule], allows: (r) => r === rule }), graph)
    expect(found.map((s) => s.check.holds)).to.deep.equal([false])
    expect(found[0]!.check.maxRel).to.be.closeTo(0.25, 1e-6)
  })

  it('hold where the operands depend on each other as the rule found them', () => {
    const rule = wrong(function* (t, n) {
      // x + relu x = 2 relu x - relu -x uses that both operands are made of x.
      const [relu] = t.children(n).filter((c) => t.nodes(c, 'Relu').length > 0)
      const x = relu === undefined ? undefined : t.child(t.nodes(relu, 'Relu')[0]!, 0)
      if (relu === undefined || x === undefined || !t.children(n).includes(x)) return
      const negative = t.onnx('Relu', [t.onnx('Neg', [x])])
      yield t.elementwise('Sub', [t.add(relu, relu), negative])!
    })
    const graph = small((b, x) => b.node('Add', [x, b.node('Relu', [x])]))
    const found = checkAll(explore(graph, { ...LIMITS, more: [rule], allows: (r) => r === rule }), graph)
    expect(found.map((s) => s.check)).to.have.length(1)
    expect(found[0]!.check).to.include({ checked: true, holds: true })
  })

  it('through an operator that nobody knows are not checked, and say so', () => {
    const b = new GraphBuilder(
      'g',
      new Map([
        ['', 20],
        ['com.example', 1],
      ]),
    )
    const x = b.input('x', 'float32', [2, 3])
    const y = b.node('Add', [b.node('Relu', [x]), b.constant(tensor('float32', [1], [1]))])
    b.output(b.node('Mystery', [y], {}, 'com.example'), 'y')
    const graph = b.build()
    const rule: Rule = {
      ...wrong(function* (t, n) {
        yield t.make(t.op(n), [t.add(t.child(n, 0), t.scalar(1e-30, 2))])
      }),
      families: ['com.example:Mystery'],
    }
    const e = explore(graph, { ...LIMITS, more: [rule], allows: (r) => r === rule })
    for (const { check } of checkAll(e, graph)) {
      expect(check).to.include({ checked: false, maxRel: null })
      expect(check.reason).to.contain('Mystery')
    }
  })
})
