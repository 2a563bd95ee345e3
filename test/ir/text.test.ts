import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { UserError } from '../../src/base/errors.ts'
import { type Attributes, float, floats, int, ints, text } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { addDims, floorDivDims, maxDims, mulDims, namedDim } from '../../src/ir/dim.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { parseGraph } from '../../src/ir/parse-text.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { printGraph } from '../../src/ir/text.ts'
import { findProblems } from '../../src/ir/validate.ts'
import { readModel } from '../../src/onnx/index.ts'
import { sharedArchive } from '../support/shared-data.ts'

const FULL = { weights: 'full', nodeNames: true } as const
const reprint = (g: Graph): string => printGraph(parseGraph(printGraph(g, FULL)), FULL)

function mlp(): Graph {
  const b = new GraphBuilder('mlp')
  const x = b.input('x', 'float32', [namedDim('batch'), 4])
  const w = b.constant(tensor('float32', [4, 2], [1, 0, 0, 1, 2, -1, 0.5, 0]), 'w')
  const h = b.node('Relu', [b.node('MatMul', [x, w])])
  const [values] = b.multi('TopK', [h, b.int64s([1], 'k')], {
    attributes: { axis: int(1), largest: int(0) },
    outputs: 2,
  })
  b.output(values!, 'smallest')
  return b.build()
}

/** A graph of one node of an unknown operator with these attributes. */
function withAttributes(attributes: Attributes): Graph {
  const b = new GraphBuilder(
    'g',
    new Map([
      ['', 20],
      ['my.domain', 3],
    ]),
  )
  b.output(b.node('Op', [null, b.input('x', 'float16', [2])], attributes, 'my.domain'), 'y')
  return b.build()
}

describe('ir: the printed form', () => {
  it('shows a graph in one line per value', () => {
    expect(printGraph(mlp())).to.equal(`graph mlp (opset 20)
input x: float32[batch,4]
constant w: float32[4,2] = {1,0,0,1,2,-1,0.5,0}
constant k: int64[1] = {1}
MatMul_out: float32[batch,2] = MatMul(x, w)
Relu_out: float32[batch,2] = Relu(MatMul_out)
smallest, TopK_out1: float32[batch,1], int64[batch,1] = TopK {axis=1,largest=0} (Relu_out, k)
output smallest
`)
  })

  it('shows large weights as a hash that follows their bytes', () => {
    const of = (last: number) => {
      const b = new GraphBuilder('g')
      b.output(b.constant(tensor('float32', [9], [1, 2, 3, 4, 5, 6, 7, 8, last])), 'y')
      return printGraph(b.build())
    }
    expect(of(9)).to.match(/constant c: float32\[9\] = #[0-9a-f]{16}\n/)
    expect(of(9)).to.equal(of(9))
    expect(of(9)).not.to.equal(of(10))
  })

  it('is read back as the same graph', () => {
    const graph = mlp()
    expect(reprint(graph)).to.equal(printGraph(graph, FULL))
    expect(findProblems(parseGraph(printGraph(graph, FULL)))).to.deep.equal([])
  })

  it('carries every kind of attribute', () => {
    const attributes: Attributes = {
      i: int(-3),
      big: { kind: 'int', value: 2n ** 62n },
      f: float(Math.fround(0.1)),
      tiny: float(1e-7),
      infinite: float(Number.NEGATIVE_INFINITY),
      none: float(Number.NaN),
      zero: float(-0),
      s: text('a "quoted"\nline, {x=1}'),
      raw: { kind: 'string', value: '\ufffd', bytes: Uint8Array.of(255) },
      is: ints([1, -2]),
      fs: floats([0.5, -0, 2]),
      ss: { kind: 'strings', value: ['a', ','] },
      noInts: ints([]),
      noFloats: floats([]),
      noStrings: { kind: 'strings', value: [] },
      t: { kind: 'tensor', value: tensor('int64', [2], [1, 2]) },
      words: {
        kind: 'tensor',
        value: {
          dtype: 'string',
          shape: [2],
          bytes: new Uint8Array(),
          strings: [Buffer.from('ab'), Buffer.from('')].map((x) => new Uint8Array(x)),
        },
      },
      body: { kind: 'opaque', bytes: Uint8Array.of(1, 2, 3) },
      'odd name': int(1),
    }
    const graph = withAttributes(attributes)
    const again = parseGraph(printGraph(graph, FULL))
    expect(again.nodes[0]!.attributes).to.deep.equal(attributes)
    expect(again.nodes[0]).to.deep.include({ domain: 'my.domain', op: 'Op', name: 'Op' })
    expect(again.opsets).to.deep.equal(graph.opsets)
  })

  it('carries symbolic sizes', () => {
    const [a, b] = [namedDim('a'), namedDim('past/b-1')]
    const sizes = [
      addDims(mulDims(a, 2), -3),
      floorDivDims(addDims(a, 1), 4),
      maxDims(a, mulDims(b, b)),
      floorDivDims(a, b),
    ]
    const g = new GraphBuilder('g')
    g.output(g.input('x', 'bool', sizes), 'y')
    expect(parseGraph(printGraph(g.build(), FULL)).values[0]!.type).to.deep.equal({ dtype: 'bool', shape: sizes })
  })

  it('carries constants of every kind, and values with odd names', () => {
    const b = new GraphBuilder('odd graph')
    const wide = new BigInt64Array([2n ** 62n + 1n, -5n])
    const parts = [
      b.constant({ dtype: 'int64', shape: [2], bytes: new Uint8Array(wide.buffer) }, 'input'),
      b.constant(
        { dtype: 'string', shape: [2], bytes: new Uint8Array(), strings: [Uint8Array.of(97), Uint8Array.of()] },
        'a, b: c',
      ),
      b.constant({ dtype: 'int4', shape: [3], bytes: Uint8Array.of(0x21, 3) }, 'packed'),
      b.constant(tensor('float32', [2], [Number.NaN, 1]), 'nan'),
      b.constant(tensor('float16', [3], [-0, 0.1, Number.POSITIVE_INFINITY]), 'halves'),
      b.constant(tensor('float64', [0], []), 'empty'),
    ]
    parts.forEach((v, i) => {
      b.output(v, `y${i}:`)
    })
    const graph = b.build()
    const again = parseGraph(printGraph(graph, FULL))
    expect([...again.initializers.values()]).to.deep.equal([...graph.initializers.values()])
    expect(reprint(graph)).to.equal(printGraph(graph, FULL))
  })

  it('is refused with line and column where it is broken', () => {
    const broken = (find: string, replacement: string) => () =>
      parseGraph(printGraph(mlp(), FULL).replace(find, replacement))
    expect(broken('MatMul(x, w)', 'MatMul(x, v)')).to.throw(UserError, /line 5, column \d+.*a value that is made above/)
    expect(broken('float32[batch,4]', 'float31[batch,4]')).to.throw(UserError, /line 2.*a dtype/)
    expect(broken('output smallest', '')).to.throw(UserError)
    expect(() => parseGraph(printGraph(mlp()).replace(/\{1,0.*\}/, '#0123'))).to.throw(UserError, /full weights/)
  })

  it("carries ONNX's own cases", function () {
    const shared = sharedArchive('onnx-node-tests')
    if (!shared.ok) {
      console.log(`      skipped: ${shared.reason}`)
      this.skip()
    }
    const root = join(shared.path, 'onnx-node-tests', 'node')
    const folders = readdirSync(root).filter((_, i) => i % 3 === 0)
    for (const folder of folders) {
      const { graph } = readModel(readFileSync(join(root, folder, 'model.onnx')))
      expect(reprint(graph), folder).to.equal(printGraph(graph, FULL))
    }
  })
})
