import { expect } from 'chai'
import { silentTalk } from '../../src/base/talk.ts'
import { compareModels } from '../../src/bench/index.ts'
import { untrainedModel } from '../../src/cost/index.ts'
import type { Graph, Node } from '../../src/ir/graph.ts'
import { bodiesOf, type Model, readModel, writeModel } from '../../src/onnx/index.ts'
import { encode } from '../../src/rewrite/encode.ts'
import { explore } from '../../src/rewrite/explore.ts'
import { type Backend, createBackend, ScratchFolder } from '../../src/runtime/index.ts'
import { type Bodies, optimizeBodies } from '../../src/search/bodies.ts'
import { prepareGraph } from '../../src/search/prepare.ts'
import { makeCandidates } from '../../src/search/variants.ts'
import { f32, graphProto, i64, model, node, value } from '../onnx/protos.ts'
import { COLUMNS, loopModel, meanOfProduct, outerConstants, ROWS } from './body-models.ts'

const x = value('x', 'float32', [ROWS, COLUMNS])
const s = value('s', 'float32', [1, COLUMNS])
const c = value('c', 'bool', [])
const constants = outerConstants

describe('search: bodies of control flow', function () {
  this.timeout(60_000)
  const scratch = new ScratchFolder()
  let backend: Backend
  before(() => {
    backend = createBackend('cpu')
  })
  after(async () => {
    await backend.close()
    scratch.remove()
  })

  interface Changed {
    readonly bodies: Bodies
    /** The model with the optimised bodies, written and read again. */
    readonly graph: Graph
    readonly reasons: readonly (string | null)[]
  }

  const compare = (a: Model, b: Model, shapes: ReadonlyMap<string, readonly number[]>) =>
    compareModels({ oracle: backend, device: backend }, a, b, shapes, { folder: scratch.folder, seed: 5 })

  /** Optimises the bodies of a model; what comes out must compute the same as it. */
  async function changed(m: Model): Promise<Changed> {
    const prepared = prepareGraph(m, '')
    const search = { cost: untrainedModel(), device: backend, own: [], rules: null, seconds: 20, seed: 1, compare }
    const bodies = await optimizeBodies(prepared, encode(prepared.graph), { ...search, maxGrowth: null }, silentTalk)
    const written = writeModel(prepared.wrap(bodies.apply(prepared.graph)))
    const { graph } = readModel(written)
    const difference = await compare(m, readModel(written), prepared.shapes)
    expect(difference, difference ?? '').to.equal(null)
    return { bodies, graph, reasons: bodies.found.map((f) => f.reason) }
  }

  const caller = (g: Graph): Node => g.nodes.find((n) => ['If', 'Loop', 'Scan'].includes(n.op))!
  const bodyOf = (g: Graph, index = 0): Graph => bodiesOf(caller(g), g)[index]!.graph
  const opsOf = (g: Graph): string[] => g.nodes.map((n) => n.op)
  const namesOf = (g: Graph, ids: readonly (number | null)[]) => ids.map((v) => g.values[v!]!.name)
  const branch = (read: string, out: string) =>
    graphProto({
      nodes: [node('MatMul', `${read} w`, `${out}p`), node('ReduceMean', `${out}p rows`, out, { keepdims: 1 })],
      outputs: [out],
      constants: { rows: i64([1], [0]) },
    })
  const reduces = (g: Graph): boolean =>
    opsOf(g).indexOf('ReduceMean') < opsOf(g).findIndex((op) => /MatMul|Gemm/.test(op))

  it('a Loop: a rewrite that pays in every iteration is found, with the rule that made it', async () => {
    const { bodies, graph } = await changed(loopModel())
    expect(bodies.found).to.have.length(1)
    expect(bodies.found[0]!.where).to.equal('body of node n_y (Loop)')
    expect([...bodies.rules.keys()]).to.satisfy((names: string[]) => names.some((n) => n.startsWith('lin-')))
    expect(reduces(bodyOf(graph))).to.equal(true)
    expect(bodies.afterMs).to.be.lessThan(bodies.beforeMs)
  })

  it('captured names stay: the body reads the same values and constants of the graph around it', async () => {
    const { graph } = await changed(loopModel())
    const loop = caller(graph)
    expect(namesOf(graph, loop.captures).sort()).to.deep.equal(['h', 'w'])
    const body = bodyOf(graph)
    const own = [...body.initializers.keys()].map((v) => body.values[v]!.name)
    expect(own, 'the constant is not copied').to.not.include('w')
    const before = bodyOf(loopModel().graph)
    expect(namesOf(body, body.inputs.slice(0, 3))).to.deep.equal(namesOf(before, before.inputs.slice(0, 3)))
    expect(namesOf(body, body.outputs)).to.deep.equal(namesOf(before, before.outputs))
  })

  it('a constant that only the body read as it was leaves the graph around it', async () => {
    const double = graphProto({
      nodes: [node('MatMul', 'x w', 'p'), node('MatMul', 'p v', 'q'), node('Neg', 'q', 'out')],
      outputs: ['out'],
    })
    const v = f32(
      [COLUMNS, 1],
      Array.from({ length: COLUMNS }, (_, i) => Math.cos(i)),
    )
    const nodes = [node('If', 'c', 'y', { then_branch: double, else_branch: double })]
    const { graph, reasons } = await changed(
      model({ nodes, inputs: [x, c], outputs: ['y'], constants: { ...constants, v } }),
    )
    expect(reasons).to.deep.equal([null, null])
    expect([...graph.initializers.keys()].map((i) => graph.values[i]!.name)).to.not.include.members(['w', 'v'])
  })

  it('new names are those of nothing else in the model', async () => {
    const { graph } = await changed(loopModel())
    const outer = new Set(graph.values.map((v) => v.name))
    const body = bodyOf(graph)
    const made = [...body.nodes.flatMap((n) => [...n.outputs]), ...body.initializers.keys()]
    for (const name of namesOf(body, made)) expect(outer.has(name), name).to.equal(false)
  })

  it('new names outside are those of nothing inside of a body', async () => {
    const inner = graphProto({ nodes: [node('Exp', 'x', 'And_out'), node('Sin', 'And_out', 'in')], outputs: ['in'] })
    const nodes = [node('And', 'c d', 'both'), node('If', 'both', 'y', { then_branch: inner, else_branch: inner })]
    const m = model({ nodes, inputs: [x, c, value('d', 'bool', [])], outputs: ['y'] })
    const prepared = prepareGraph(m, '')
    const encoded = explore(prepared.graph, { nodeLimit: 1000, iterationLimit: 4, timeLimitMs: 4000 })
    const options = { count: 4, seed: 1, timeLimitMs: 1000 }
    const made = makeCandidates(encoded, prepared.graph, untrainedModel(), prepared.bindings, options)
    for (const candidate of made.candidates)
      expect(await compare(m, prepared.wrap(candidate.graph), prepared.shapes)).to.equal(null)
  })

  it('branches of If, of which a run of the model may take only one', async () => {
    const nodes = [node('If', 'c', 'y', { then_branch: branch('x', 'a'), else_branch: branch('x', 'b') })]
    const { graph, reasons } = await changed(model({ nodes, inputs: [x, c], outputs: ['y'], constants }))
    expect(reasons).to.deep.equal([null, null])
    expect([bodyOf(graph, 0), bodyOf(graph, 1)].every(reduces)).to.equal(true)
  })

  it('a Scan: its slices lose the axis that is scanned', async () => {
    const body = graphProto({
      nodes: [
        node('MatMul', 'slice w', 'p'),
        node('ReduceMean', 'p rows', 'm', { keepdims: 1 }),
        node('Add', 'state m', 'next'),
        node('Neg', 'm', 'out'),
      ],
      inputs: [value('state', 'float32', [1, COLUMNS]), value('slice', 'float32', [null, null])],
      outputs: ['next', 'out'],
      constants: { rows: i64([1], [0]) },
    })
    const all = value('all', 'float32', [ROWS, 5, COLUMNS])
    const scan = node('Scan', 's all', 'last outs', { body, num_scan_inputs: 1, scan_input_axes: [1] })
    const { graph, reasons } = await changed(
      model({ nodes: [scan], inputs: [s, all], outputs: ['last', 'outs'], constants }),
    )
    expect(reasons).to.deep.equal([null])
    expect(reduces(bodyOf(graph))).to.equal(true)
  })

  it('bodies in bodies: the inner one is optimised where it reads through the outer one', async () => {
    const inner = graphProto({
      nodes: [node('If', 'going', 'next', { then_branch: branch('h', 'a'), else_branch: branch('x', 'b') })].concat(
        node('Identity', 'going', 'still'),
      ),
      inputs: [value('i', 'int64', []), value('going', 'bool', []), value('state', 'float32', [1, COLUMNS])],
      outputs: ['still', 'next'],
    })
    const nodes = [node('Relu', 'x', 'h'), node('Loop', 'trips _ s', 'y', { body: inner })]
    const { graph, bodies } = await changed(model({ nodes, inputs: [x, s], outputs: ['y'], constants }))
    expect(bodies.found.map((f) => f.where)).to.deep.equal([
      'then_branch of node n_next (If)',
      'else_branch of node n_next (If)',
      'body of node n_y (Loop)',
    ])
    expect(bodies.found.map((f) => f.reason)).to.deep.equal([null, null, 'only bodies inside of it are better'])
    expect(reduces(bodyOf(bodyOf(graph)))).to.equal(true)
    expect(namesOf(graph, caller(graph).captures).sort()).to.deep.equal(['h', 'w', 'x'])
  })

  it('a name of outside that the body gives another meaning stays its own', async () => {
    const body = meanOfProduct('h', 'w', { constants: { trips: f32([1, COLUMNS], new Array(COLUMNS).fill(2)) } })
    body.node[3]!.input = ['scaled']
    body.node.splice(3, 0, node('Mul', 'mean trips', 'scaled'))
    const nodes = [node('Relu', 'x', 'h'), node('Loop', 'trips _ s', 'y', { body })]
    const { graph, reasons } = await changed(model({ nodes, inputs: [x, s], outputs: ['y'], constants }))
    expect(reasons).to.deep.equal([null])
    expect(namesOf(graph, caller(graph).captures))
      .to.include('h')
      .and.not.include('trips')
  })

  it('what a loop carries is typed by induction: a size that grows stays open', async () => {
    const body = graphProto({
      nodes: [
        node('Concat', 'state row', 'next', { axis: 0 }),
        node('MatMul', 'state w', 'p'),
        node('ReduceMean', 'p rows', 'm', { keepdims: 1 }),
        node('Add', 'row m', 'seen'),
        node('Identity', 'going', 'still'),
      ],
      inputs: [value('i', 'int64', []), value('going', 'bool', []), value('state', 'float32', [null, null])],
      outputs: ['still', 'next', 'seen'],
      constants: { rows: i64([1], [0]) },
    })
    const row = value('row', 'float32', [1, COLUMNS])
    const nodes = [node('Loop', 'trips _ s', 'y seen_', { body })]
    const { graph, reasons } = await changed(model({ nodes, inputs: [s, row], outputs: ['y', 'seen_'], constants }))
    expect(reasons).to.deep.equal([null])
    expect(reduces(bodyOf(graph))).to.equal(true)
  })

  it('operators without a record inside of a body stay, and are optimised around', async () => {
    const body = meanOfProduct('h', 'w')
    body.node.splice(3, 0, node('Det', 'square', 'det'), node('Add', 'mean det', 'more'))
    body.node[5]!.input = ['more']
    const square = value('square', 'float32', [4, 4])
    const nodes = [node('Relu', 'x', 'h'), node('Loop', 'trips _ s', 'y', { body })]
    const { graph, reasons } = await changed(model({ nodes, inputs: [x, s, square], outputs: ['y'], constants }))
    expect(reasons).to.deep.equal([null])
    expect(opsOf(bodyOf(graph))).to.include('Det')
  })

  describe('stay byte for byte as they are, with a reason', () => {
    async function kept(m: Model, ...expected: string[]): Promise<void> {
      const { bodies, reasons } = await changed(m)
      expect(reasons).to.deep.equal(expected)
      expect(bodies.isAny).to.equal(false)
      expect(bodies.apply(m.graph)).to.equal(m.graph)
    }
    it('the one branch, where only the other is better', async () => {
      const plain = graphProto({ nodes: [node('ReduceMax', 'x', 'b', { keepdims: 1 })], outputs: ['b'] })
      const nodes = [node('If', 'c', 'y', { then_branch: branch('x', 'a'), else_branch: plain })]
      const m = model({ nodes, inputs: [x, c], outputs: ['y'], constants })
      const { graph, reasons } = await changed(m)
      expect(reasons).to.deep.equal([null, 'nothing better was found'])
      expect(caller(graph).attributes.else_branch).to.deep.equal(caller(m.graph).attributes.else_branch)
    })

    it('where nothing is better', async () => {
      const plain = graphProto({ nodes: [node('Relu', 'x', 'a')], outputs: ['a'] })
      const nodes = [node('If', 'c', 'y', { then_branch: plain, else_branch: plain })]
      const better = 'nothing better was found'
      await kept(model({ nodes, inputs: [x, c], outputs: ['y'] }), better, better)
    })

    it('where the type of a captured value is not known', async () => {
      const unknown = graphProto({ nodes: [node('Identity', 'x', 'o')], outputs: ['o'] })
      const both = { then_branch: unknown, else_branch: unknown }
      const nodes = [node('If', 'c', 'h', both), node('Loop', 'trips _ s', 'y', { body: meanOfProduct('h', 'w') })]
      const better = 'nothing better was found'
      await kept(
        model({ nodes, inputs: [x, s, c], outputs: ['y'], constants }),
        better,
        better,
        'the type of h is not known',
      )
    })

    it('where it computes something else by itself', async () => {
      const prepared = prepareGraph(loopModel(), '')
      const search = { cost: untrainedModel(), device: backend, own: [], rules: null, seconds: 20, seed: 1 }
      const wrong = async () => 'it does not pass verification: no'
      const bodies = await optimizeBodies(
        prepared,
        encode(prepared.graph),
        { ...search, maxGrowth: null, compare: wrong },
        silentTalk,
      )
      expect(bodies.found.map((f) => f.reason)).to.deep.equal(['it does not pass verification: no'])
      expect(bodies.apply(prepared.graph)).to.equal(prepared.graph)
    })

    it('where no time is left, and where rules are left out', async () => {
      const prepared = prepareGraph(loopModel(), '')
      const search = { cost: untrainedModel(), device: backend, own: [], seed: 1, maxGrowth: null, compare }
      const late = await optimizeBodies(
        prepared,
        encode(prepared.graph),
        { ...search, rules: null, seconds: -1 },
        silentTalk,
      )
      expect(late.found.map((f) => f.reason)).to.deep.equal(['no time was left'])
      const none = await optimizeBodies(
        prepared,
        encode(prepared.graph),
        { ...search, rules: '!*', seconds: 20 },
        silentTalk,
      )
      expect(none.found.map((f) => f.reason)).to.deep.equal(['nothing better was found'])
    })

    it('where a call inside makes no sense', async () => {
      const wrong = graphProto({ nodes: [node('MatMul', 'x s', 'a')], outputs: ['a'] })
      const right = graphProto({ nodes: [node('Relu', 'x', 'b')], outputs: ['b'] })
      const m = model({
        nodes: [node('If', 'c', 'y', { then_branch: wrong, else_branch: right })],
        inputs: [x, s, c],
        outputs: ['y'],
      })
      const prepared = prepareGraph(m, '')
      const search = { cost: untrainedModel(), device: backend, own: [], rules: null, seconds: 20, seed: 1, compare }
      const bodies = await optimizeBodies(prepared, encode(prepared.graph), { ...search, maxGrowth: null }, silentTalk)
      expect(bodies.found[0]!.reason).to.contain('MatMul')
    })
  })
})
