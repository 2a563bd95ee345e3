import { expect } from 'chai'
import { UserError } from '../../src/base/errors.ts'
import { silentTalk } from '../../src/base/talk.ts'
import { demo } from '../../src/demo.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { OnnxruntimeBackend } from '../../src/runtime/index.ts'
import { SEED_GRAPH, seedPrograms } from '../../src/search/seed-programs.ts'
import { parseFx } from '../../src/torch/fx-parse.ts'
import { printFx } from '../../src/torch/fx-print.ts'
import { readSafetensors, writeSafetensors } from '../../src/torch/index.ts'

describe('the seed demonstration', () => {
  const { programs, iterations } = seedPrograms({ length: 8 })

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

  it('gives the names of the seed to the programs of the seed', () => {
    const bodies = Object.fromEntries(programs.map((p) => [p.name, p.code]))
    expect(Object.keys(bodies)).to.have.members([
      ...['original', 'original_r1', 'original_r3', 'original_r3_r1', 'original_r3_r1#2', 'original_r3_r1_r1'],
    ])
    // r1 is tried on the first product first, which is that of x
    expect(bodies.original_r3_r1).to.contain('x + x').and.to.contain('y * 2.0')
    expect(bodies['original_r3_r1#2']).to.contain('x * 2.0').and.to.contain('y + y')
  })

  it('says in which iteration each program was found', () => {
    expect(iterations.flatMap((i) => i.found)).to.deep.equal(programs.slice(1).map((p) => p.name))
    expect(iterations[0]?.found).to.deep.equal(['original_r1', 'original_r3'])
  })

  it('gives the same programs every time', () => {
    expect(seedPrograms({ length: 8 }).programs.map((p) => p.code)).to.deep.equal(programs.map((p) => p.code))
  })

  it('takes a graph of the user’s, with shapes of its own', () => {
    const text = SEED_GRAPH.replace('%mul : [num_users=1]', '%neg : [num_users=1]')
      .replace('operator.mul](args = (%add, 2.0)', 'operator.neg](args = (%add,)')
      .replace('return mul', 'return neg')
    const own = seedPrograms({ length: 8, text, shapes: new Map(['x', 'y'].map((name) => [name, [4, 8]])) })
    expect(own.programs.map((p) => p.code)).to.deep.equal([
      'def forward(self, x, y):\n    add = x + y;  x = y = None\n    neg = torch.neg(add);  add = None\n    return neg',
    ])
    expect(own.isComplete).to.equal(true)
    expect(() => seedPrograms({ length: 8, text, shapes: new Map([['z', [4]]]) })).to.throw(UserError, '--shape z')
    expect(() => seedPrograms({ length: 8, text: 'no graph' })).to.throw(UserError)
  })

  it('takes the parameters of a graph from a file of weights, and says how to make one', () => {
    const text = SEED_GRAPH.replace(
      '%y : [num_users=1] = placeholder[target=y]',
      '%y : [num_users=1] = get_attr[target=y]',
    )
    const weights = readSafetensors(
      writeSafetensors(new Map([['y', tensor('float32', [8], [1, 2, 3, 4, 5, 6, 7, 8])]])),
      'weights',
    )
    const own = seedPrograms({ length: 8, text, weights })
    expect(own.programs[0]!.graph.inputs).to.have.length(1)
    expect(own.programs[0]!.code).to.contain('self.y')
    expect(() => seedPrograms({ length: 8, text })).to.throw(UserError, 'pass --weights')
  })

  it('lists no more programs than a person reads, and says so', () => {
    const sums = [1, 2, 3, 4].map(
      (i) =>
        `    %m${i} : [num_users=2] = call_function[target=operator.mul](args = (%${i === 1 ? 'x' : `m${i - 1}`}, 2.0), kwargs = {})`,
    )
    const text = `graph():\n    %x : [num_users=1] = placeholder[target=x]\n${sums.join('\n')}\n    %s : [num_users=1] = call_function[target=operator.add](args = (%m4, %m3), kwargs = {})\n    %t : [num_users=1] = call_function[target=operator.mul](args = (%s, 2.0), kwargs = {})\n    return t\n`
    const many = seedPrograms({ length: 8, text })
    expect(many.isComplete).to.equal(false)
    expect(many.programs).to.have.length(48)
  })

  it('times and verifies every program on a real runtime, to the last bit', async function () {
    this.timeout(60_000)
    const backend = new OnnxruntimeBackend('cpu')
    try {
      const graph = { length: 64, text: null, shapes: new Map() }
      const options = { seed: 1, threads: 1, ...graph, blocks: 3, oracle: backend, device: backend }
      const r = await demo(options, silentTalk)
      expect(r.variants.map((v) => v.name)).to.deep.equal(programs.map((p) => p.name))
      for (const v of r.variants) expect(v.maxDiff, v.name).to.equal(0) // doubling is exact
      for (const v of r.variants) expect(v.ms, v.name).to.be.greaterThan(0)
      expect(r.ratio).to.be.at.least(1)
      expect(r.listing)
        .to.contain('E-graph contains 6 equivalent forms')
        .and.to.contain('All variants produce identical results!')
      expect(r.differences).to.have.length(7)
    } finally {
      await backend.close()
    }
  })
})
