import { expect } from 'chai'
import { int } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { decode } from '../../src/rewrite/decode.ts'
import { explore } from '../../src/rewrite/explore.ts'
import { beforeRounding } from '../../src/rewrite/rounding.ts'
import { familyOf } from '../../src/rewrite/tensor-op.ts'

const LIMITS = { iterationLimit: 6, nodeLimit: 2000, timeLimitMs: 5000 }

/** floor(x / s / 3) + mean(x) / s, and the size of x. */
function rounded() {
  const b = new GraphBuilder('g', new Map([['', 21]]))
  const x = b.input('x', 'float32', [4, 8])
  const s = b.input('s', 'float32', [1])
  const third = b.constant(tensor('float32', [1], [3]))
  const scaled = b.node('Div', [b.node('Div', [x, s]), third])
  const mean = b.node('Div', [b.node('ReduceMean', [x, b.int64s([1])]), s])
  b.output(b.node('Add', [b.node('Floor', [scaled]), mean]), 'y')
  b.output(b.node('Shape', [x]), 'size')
  return b.build()
}

describe('what is rounded later', () => {
  it('is what leads to an operator that rounds, and nothing else', () => {
    const graph = rounded()
    expect([...beforeRounding(graph)].map((at) => graph.nodes[at]!.op)).to.deep.equal(['Div', 'Div'])
  })

  it('is a cast to whole numbers and a quantiser, too, but not what is whole already', () => {
    const b = new GraphBuilder('g', new Map([['', 21]]))
    const x = b.node('Mul', [b.input('x', 'float32', [4]), b.input('z', 'float32', [4])])
    const whole = b.node('Cast', [x], { to: int(7) })
    b.output(b.node('Cast', [b.node('Add', [whole, whole])], { to: int(6) }), 'y')
    expect(beforeRounding(b.build()).size).to.equal(1)
    const c = new GraphBuilder('g', new Map([['', 21]]))
    const y = c.node('Relu', [c.input('x', 'float32', [4])])
    const [q] = c.multi('DynamicQuantizeLinear', [y], { outputs: 3 })
    c.output(q!, 'q')
    expect(beforeRounding(c.build()).size).to.equal(1)
  })

  it('can be left as it is: no rule sees it, and it is written as it stood', () => {
    const graph = rounded()
    const e = explore(graph, { ...LIMITS, kept: beforeRounding(graph) })
    const families = [...e.t.egraph.classes()].flatMap((c) => e.t.egraph.nodesOf(c).map((n) => familyOf(e.t.op(n))))
    expect(families.filter((f) => f === 'kept:Div')).to.have.length(2)
    const again = decode(e.t, graph, e.roots, (c) => e.t.egraph.nodesOf(c)[0]!)
    expect(again.nodes.every((n) => n.domain === '')).to.equal(true)
    expect(again.nodes.filter((n) => n.op === 'Div').length).to.be.greaterThan(1)
  })
})
