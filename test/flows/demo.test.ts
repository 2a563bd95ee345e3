import { expect } from 'chai'
import { silentTalk } from '../../src/base/talk.ts'
import { demo } from '../../src/demo.ts'
import { OnnxruntimeBackend } from '../../src/runtime/index.ts'
import { SEED_GRAPH, seedPrograms } from '../../src/search/seed-programs.ts'
import { parseFx } from '../../src/torch/fx-parse.ts'
import { printFx } from '../../src/torch/fx-print.ts'

describe('the seed demonstration', () => {
  const { programs, iterations } = seedPrograms(8)

  it('starts from the graph as torch.fx prints it', () => {
    expect(printFx(parseFx(SEED_GRAPH)).trim()).to.equal(SEED_GRAPH.trim())
  })

  it('finds the six programs that the three rules prove equal, each once and without dead nodes', () => {
    expect(programs).to.have.length(6)
    expect(new Set(programs.map((p) => p.code)).size).to.equal(6)
    expect(new Set(programs.map((p) => p.name)).size).to.equal(6)
    expect(programs.map((p) => p.graph.nodes.length).sort()).to.deep.equal([2, 2, 3, 3, 3, 3])
  })

  it('writes the original and the best of the seed as torch.fx does', () => {
    expect(programs[0]).to.include({
      name: 'original',
      code: 'def forward(self, x, y):\n    add = x + y;  x = y = None\n    mul = add * 2.0;  add = None\n    return mul',
    })
    expect(programs[1]).to.include({
      name: 'original_r1',
      code: 'def forward(self, x, y):\n    add = x + y;  x = y = None\n    add_1 = add + add;  add = None\n    return add_1',
    })
  })

  it('says in which iteration each program was found', () => {
    expect(iterations.flatMap((i) => i.found)).to.deep.equal(programs.slice(1).map((p) => p.name))
    expect(iterations[0]?.found).to.deep.equal(['original_r1', 'original_r3'])
  })

  it('gives the same programs every time', () => {
    expect(seedPrograms(8).programs.map((p) => p.code)).to.deep.equal(programs.map((p) => p.code))
  })

  it('times and verifies every program on a real runtime, to the last bit', async function () {
    this.timeout(60_000)
    const backend = new OnnxruntimeBackend('cpu')
    try {
      const options = { seed: 1, threads: 1, length: 64, blocks: 3, oracle: backend, device: backend }
      const r = await demo(options, silentTalk)
      expect(r.variants.map((v) => v.name)).to.deep.equal(programs.map((p) => p.name))
      for (const v of r.variants) expect(v.maxDiff, v.name).to.equal(0) // doubling is exact
      for (const v of r.variants) expect(v.ms, v.name).to.be.greaterThan(0)
      expect(r.ratio).to.be.at.least(1)
      expect(r.listing)
        .to.contain('E-graph contains 6 equivalent forms')
        .and.to.contain('All variants produce identical results!')
    } finally {
      await backend.close()
    }
  })
})
