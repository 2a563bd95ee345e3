// Models that leave dimensions open and run only at some sizes: those are found before the search begins.
import { expect } from 'chai'
import { UserError } from '../../src/base/errors.ts'
import { silentTalk } from '../../src/base/talk.ts'
import { collect } from '../../src/collect.ts'
import { readDataset } from '../../src/dataset/index.ts'
import { int, ints } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { namedDim } from '../../src/ir/dim.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { modelOf, writeModelFile } from '../../src/onnx/index.ts'
import { optimize } from '../../src/optimize.ts'
import { usualSize } from '../../src/search/sample-shapes.ts'
import { runCli } from '../cli/support.ts'
import { createWorkspace, optimizeOptions } from './support/workspace.ts'

const weights = (...shape: number[]) => {
  const count = shape.reduce((a, b) => a * b, 1)
  return tensor(
    'float32',
    shape,
    Float64Array.from({ length: count }, (_, i) => Math.sin(i)),
  )
}

/** mean((x + positions[:rows]) @ w, rows), of at most as many rows as there are positions. */
function withPositions(positions: number): Graph {
  const b = new GraphBuilder('positions')
  const x = b.input('x', 'float32', [namedDim('batch'), namedDim('rows'), 64])
  const table = b.constant(weights(1, positions, 64))
  const rows = b.node('Shape', [x], { start: int(1), end: int(2) })
  const used = b.node('Slice', [table, b.int64s([0]), rows, b.int64s([1])])
  const y = b.node('MatMul', [b.node('Add', [x, used]), b.constant(weights(64, 64))])
  b.output(b.node('ReduceMean', [y, b.int64s([1])]), 'y')
  return b.build()
}

/** The rows of x @ w that the first row of `edges` names. */
function overEdges(): Graph {
  const b = new GraphBuilder('edges')
  const x = b.input('x', 'float32', [namedDim('nodes'), 16])
  const edges = b.input('edge_index', 'int64', [2, namedDim('links')])
  const from = b.node('Gather', [edges, b.constant(tensor('int64', [], [0]))], { axis: int(0) })
  b.output(b.node('Gather', [b.node('MatMul', [x, b.constant(weights(16, 8))]), from], { axis: int(0) }), 'y')
  return b.build()
}

/** Columns of a line of text that is 48 high, of any width. */
function textLine(): Graph {
  const b = new GraphBuilder('line')
  const x = b.input('x', 'float32', [1, 3, namedDim('height'), namedDim('width')])
  const kernel = b.constant(weights(8, 3, 48, 4))
  const columns = b.node('Conv', [x, kernel], { strides: ints([48, 4]) })
  b.output(b.node('Squeeze', [columns, b.int64s([2])]), 'y')
  return b.build()
}

/** Runs where the rows come in sevens. */
function inSevens(): Graph {
  const b = new GraphBuilder('sevens')
  const x = b.input('x', 'float32', [namedDim('rows'), 64])
  b.output(b.node('Reshape', [x, b.int64s([-1, 7, 64])]), 'y')
  return b.build()
}

describe('sizes of open dimensions', function () {
  this.timeout(120_000)
  const space = createWorkspace()
  after(() => space.remove())
  const write = (name: string, graph: Graph): string => {
    writeModelFile(space.path(name), modelOf(graph), { force: true })
    return space.path(name)
  }

  it('a sequence longer than its table of positions is tried shorter, and the note says at what size', async () => {
    const input = write('positions.onnx', withPositions(48))
    const run = await optimize(optimizeOptions(input, { measure: 0, force: true }), silentTalk)
    expect(run.prepared.shapes.get('x')).to.deep.equal([1, 32, 64])
    expect(run.warnings.join()).to.contain('x[1] = 32')
    expect(run.chosen!.verification.passed).to.equal(true)
    const verified = await runCli(['verify', input, run.outputPath])
    expect(verified).to.include({ code: 0 })
    expect(verified.stderr).to.contain('x[1] = 32')
  })

  it('what reads text is given a line of it', async () => {
    const input = write('line.onnx', textLine())
    const run = await optimize(optimizeOptions(input, { measure: 0, force: true }), silentTalk)
    expect(run.prepared.shapes.get('x')).to.deep.equal([1, 3, 48, 320])
  })

  it('collect does the same', async () => {
    const sources = [write('rows.onnx', withPositions(40))]
    const dataset = space.path('data')
    const given = { variants: 2, kernels: 0, threads: 1, seed: 1, timeLimit: null, repeats: 1 }
    await collect({ ...given, sources, dataset, device: 'cpu' }, silentTalk)
    const { timings } = readDataset(dataset).tables
    expect(timings.map((t) => t.error)).to.include(null)
  })

  it('node numbers stay below the number of nodes, of which there are many', async () => {
    const input = write('edges.onnx', overEdges())
    const run = await optimize(optimizeOptions(input, { measure: 1, force: true }), silentTalk)
    expect(run.prepared.shapes.get('x')).to.deep.equal([128, 16])
    expect(run.verified[0]!.verification.passed).to.equal(true)
  })

  it('the state of a recurrent layer is of one batch, a hidden state of a transformer a sequence', () => {
    const shape = (layers: number) => [layers, namedDim('open'), 64]
    expect(usualSize(shape(2), 1, 'state')).to.equal(1)
    expect(usualSize(shape(2), 1, 'h0')).to.equal(1)
    expect(usualSize(shape(1), 1, 'last_hidden_state')).to.equal(128)
  })

  it('a model that runs at none of them is refused before the search, with what to say', async () => {
    const input = write('sevens.onnx', inSevens())
    const run = optimize(optimizeOptions(input), silentTalk)
    const error = await run.then(
      () => null,
      (e: unknown) => e,
    )
    expect(error).to.be.instanceOf(UserError)
    const { complaint } = error as UserError
    expect(complaint).to.include({ code: 'bad-model' })
    expect(complaint.fix).to.contain('--sample')
  })
})
