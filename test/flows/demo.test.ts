import { expect } from 'chai'
import { SEED_GRAPH, seedPrograms } from '../../src/demo.ts'
import { parseFx } from '../../src/torch/fx-parse.ts'
import { printFx } from '../../src/torch/fx-print.ts'

describe('the seed demonstration', () => {
  const programs = seedPrograms(8)

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
      name: 'double-as-sum',
      code: 'def forward(self, x, y):\n    add = x + y;  x = y = None\n    add_1 = add + add;  add = None\n    return add_1',
    })
  })

  it('gives the same programs every time', () => {
    expect(seedPrograms(8).map((p) => p.code)).to.deep.equal(programs.map((p) => p.code))
  })
})
