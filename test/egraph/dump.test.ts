import { expect } from 'chai'
import { serializeEGraph, toDot } from '../../src/egraph/dump.ts'
import { createProblem } from '../../src/egraph/extract/problem.ts'
import { extractTree } from '../../src/egraph/extract/tree.ts'
import { saturate } from '../../src/egraph/saturate.ts'
import { problemOf } from './support/gym.ts'
import { AC_RULES, createToy, rightNestedSum } from './support/terms.ts'

function saturatedSum(n: number) {
  const toy = createToy()
  const root = toy.add(rightNestedSum(n))
  saturate(
    toy.egraph,
    AC_RULES.map((r) => toy.rule(r)),
    { iterationLimit: 20, nodeLimit: 1e6, timeLimitMs: 1e6 },
  )
  return { ...toy, root: toy.egraph.find(root) }
}

describe('an e-graph as JSON', () => {
  it('has every class and node, and is the same extraction problem when read again', () => {
    const { egraph, root } = saturatedSum(5)
    const cost = Float64Array.from({ length: egraph.idLimit }, (_, n) => 1 + (n % 7))
    const json = JSON.parse(JSON.stringify(serializeEGraph(egraph, { roots: [root], cost })))
    expect(Object.keys(json.nodes)).to.have.length(egraph.nodeCount)
    const again = problemOf(json)
    const problem = createProblem(egraph, cost, [root])
    expect([again.classCount, again.nodeCount]).to.deep.equal([problem.classCount, problem.nodeCount])
    expect(extractTree(again).cost).to.equal(extractTree(problem).cost)
  })

  it('leaves out forbidden nodes and what cannot be without them', () => {
    const toy = createToy()
    const root = toy.add('(f (g a))')
    toy.egraph.union(root, toy.add('b'))
    toy.egraph.rebuild()
    const cost = new Float64Array(toy.egraph.idLimit).fill(1)
    cost[toy.add('a')] = Number.POSITIVE_INFINITY
    const json = serializeEGraph(toy.egraph, { roots: [root], cost, describeClass: (c) => `class ${c}` })
    expect(Object.values(json.nodes).map((n) => n.op))
      .to.include('b')
      .and.not.include('a')
    for (const n of Object.values(json.nodes))
      for (const child of n.children) expect(json.nodes).to.have.property(child)
    expect(json.class_data[json.root_eclasses[0]!]!.type).to.equal(`class ${toy.egraph.find(root)}`)
  })
})

describe('an e-graph as Graphviz text', () => {
  it('has a box per class and an edge per child', () => {
    const toy = createToy()
    const root = toy.add('(f a (g a))')
    expect(toDot(toy.egraph, { roots: [root] })).to.equal(`digraph egraph {
  compound=true; rankdir=TB; node [shape=box, style=rounded]
  subgraph cluster_2 {
    style=dashed; label="c2"
    n2 [label="f"]
  }
  subgraph cluster_0 {
    style=dashed; label="c0"
    n0 [label="a"]
  }
  subgraph cluster_1 {
    style=dashed; label="c1"
    n1 [label="g"]
  }
  n2 -> n0 [lhead=cluster_0, label="0"]
  n2 -> n1 [lhead=cluster_1, label="1"]
  n1 -> n0 [lhead=cluster_0, label="0"]
}
`)
  })

  it('says what was cut', () => {
    const { egraph, root } = saturatedSum(6)
    const text = toDot(egraph, { roots: [root], nodeLimit: 70 })
    expect(text).to.match(/cut: \d+ of 608 e-nodes, \d+ of 63 e-classes, \d+ edges not drawn/)
  })

  it('escapes names', () => {
    const toy = createToy()
    const op = toy.table.intern('say "hi"\\\n', '', null)
    const root = toy.egraph.add(op, [])
    expect(toDot(toy.egraph, { roots: [root] })).to.include('label="say \\"hi\\"\\\\ "')
  })
})
