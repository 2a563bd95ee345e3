import { expect } from 'chai'
import { createRandom } from '../../src/base/random.ts'
import { saturate } from '../../src/egraph/saturate.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { type ConcreteShape, elementCount } from '../../src/ir/shape.ts'
import type { NdArray } from '../../src/ir/tensor.ts'
import { encode } from '../../src/rewrite/encode.ts'
import { type Explored, explore } from '../../src/rewrite/explore.ts'
import { bindRule, type Rule } from '../../src/rewrite/rule.ts'
import { ruleFamilies } from '../../src/rewrite/rules/index.ts'
import { ruleSamples } from './rule-samples.ts'
import { buildSample } from './sample.ts'
import { checkEveryNode } from './support/check-egraph.ts'

const SEEDS = [1, 2, 3]
const LIMITS = { iterationLimit: 4, nodeLimit: 4000, timeLimitMs: 5000 }

function drawInputs(graph: Graph, seed: number): NdArray[] {
  const random = createRandom(seed)
  return graph.inputs.map((v) => {
    const { dtype, shape } = graph.values[v]!.type!
    const draw = () => (dtype === 'int64' ? random.below(5) : random.normal())
    return {
      dtype,
      shape: shape as ConcreteShape,
      data: Float64Array.from({ length: elementCount(shape as ConcreteShape) }, draw),
    }
  })
}

/** The e-graph of a graph after one rule alone, and how often it fired. */
function exploreWith(graph: Graph, rule: Rule): { explored: Explored; applied: number } {
  const encoded = encode(graph)
  const search = saturate(encoded.t.egraph, [bindRule(encoded.t, rule)], LIMITS)
  const nothing = { ...search, rules: [] }
  const phases = { encoded: 0, recognised: 0, searched: encoded.t.egraph.idLimit }
  return {
    explored: { ...encoded, initialNodes: 0, phases, recognition: nothing, search, rules: [rule] },
    applied: search.rules[0]!.applied,
  }
}

describe('rewrite: every rule', () => {
  for (const family of ruleFamilies)
    for (const rule of family.rules) {
      it(`${rule.name} fires on its samples and keeps every value: ${rule.law}`, () => {
        const samples = ruleSamples[rule.name]
        expect(samples, `a sample for ${rule.name} in rule-samples.ts`).to.not.equal(undefined)
        for (const [i, build] of samples!.entries())
          for (const seed of SEEDS) {
            const graph = buildSample(build, seed)
            const { explored, applied } = exploreWith(graph, rule)
            expect(applied, `sample ${i}: applications`).to.be.greaterThan(0)
            const check = checkEveryNode(explored, drawInputs(graph, seed))
            expect(check.wrong, `sample ${i}, seed ${seed}`).to.deep.equal([])
          }
      })
    }

  it('all rules together keep every value on every sample', () => {
    for (const [name, samples] of Object.entries(ruleSamples))
      for (const build of samples) {
        const graph = buildSample(build, 7)
        const check = checkEveryNode(explore(graph, LIMITS), drawInputs(graph, 7))
        expect(check.wrong, name).to.deep.equal([])
      }
  })

  it('samples exist for no rule that does not', () => {
    const names = new Set(ruleFamilies.flatMap((f) => f.rules.map((r) => r.name)))
    expect(Object.keys(ruleSamples).filter((name) => !names.has(name))).to.deep.equal([])
  })
})
