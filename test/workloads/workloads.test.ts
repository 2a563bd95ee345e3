import { expect } from 'chai'
import { createRandom } from '../../src/base/random.ts'
import { drawInputs, findWorkload, workloads } from '../../src/dataset/workloads/index.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { isConcrete } from '../../src/ir/shape.ts'

const SEED = 7

/** What makes two graphs the same: everything but object identity. Maps are spelled out. */
function contents(graph: Graph): unknown {
  return { ...graph, opsets: [...graph.opsets], initializers: [...graph.initializers] }
}

describe('workloads', () => {
  it('cover at least eight families and forty root graphs, each name once', () => {
    expect(new Set(workloads.map((w) => w.family)).size).to.be.at.least(8)
    expect(workloads.length).to.be.at.least(40)
    expect(new Set(workloads.map((w) => w.name)).size).to.equal(workloads.length)
  })

  for (const w of workloads) {
    it(`${w.name} builds at every size, with a number in every shape`, () => {
      for (const size of w.sizes) {
        const graph = w.build(size, SEED)
        const loose = graph.values.filter((v) => !v.type || !isConcrete(v.type.shape)).map((v) => v.name)
        expect(loose, size).to.deep.equal([])
        expect(graph.outputs.length, size).to.be.at.least(1)
      }
    })
  }

  it('give the same graph and inputs for the same seed, others for another', () => {
    for (const w of workloads) {
      const [a, b, c] = [w.build('small', SEED), w.build('small', SEED), w.build('small', SEED + 1)]
      expect(contents(a), w.name).to.deep.equal(contents(b))
      const random = [...a.initializers.values()].some(
        (t) => t.dtype === 'float32' && t.shape.length > 0 && t.bytes.length > 8,
      )
      if (random) expect(contents(a), w.name).to.not.deep.equal(contents(c))
      const draw = (seed: number) => drawInputs(a, w.inputs('small'), createRandom(seed))
      expect(draw(1), w.name).to.deep.equal(draw(1))
    }
  }).timeout(60_000)

  it('draw ids below their table and adjacency rows that sum to one', () => {
    const ids = findWorkload('embedding-then-linear')
    const drawn = drawInputs(ids.build('small', SEED), ids.inputs('small'), createRandom(1)).ids!
    const values = Array.from(new BigInt64Array(drawn.bytes.buffer), Number)
    expect(Math.max(...values)).to.be.below(200)
    const mix = findWorkload('neighbour-mix')
    const a = drawInputs(mix.build('small', SEED), mix.inputs('small'), createRandom(1)).a!
    const row = new Float32Array(a.bytes.buffer).subarray(0, 192)
    expect(row.reduce((s, x) => s + x, 0)).to.be.closeTo(1, 1e-5)
  })

  it('refuse an unknown name or size, naming what there is', () => {
    expect(() => findWorkload('bert-first')).to.throw('did you mean bert-first-token?')
    expect(() => findWorkload('seed').build('huge', SEED)).to.throw('one of the sizes small, full')
  })
})
