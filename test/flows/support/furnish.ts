// One file or folder of each kind that the table of bad input names.
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { createRandom } from '../../../src/base/random.ts'
import { openDataset } from '../../../src/dataset/index.ts'
import { GraphBuilder } from '../../../src/ir/builder.ts'
import { namedDim } from '../../../src/ir/dim.ts'
import { tensor } from '../../../src/ir/tensor.ts'
import { encodeTensor, modelOf, writeModelFile } from '../../../src/onnx/index.ts'
import { type Folder, writeSmallModel } from '../../cli/support.ts'

const SHIPPED_MODEL = new URL('../../../models/cpu-x64-v1/', import.meta.url)

/** Writes one file or folder of each kind that the cases name. */
export async function furnish({ path }: Folder): Promise<void> {
  writeSmallModel(path('good.onnx'))
  writeSmallModel(path('other.onnx'))
  writeSmallModel(path('biased.onnx'), { bias: 2 })
  writeSmallModel(path('foreign.onnx'), { foreign: true })
  writeFileSync(path('empty.onnx'), '')
  writeFileSync(path('text.onnx'), 'This is no model.\n')
  writeFileSync(path('cut.onnx'), readFileSync(path('good.onnx')).subarray(0, 120))
  const model = (name: string, build: (b: GraphBuilder) => void, options = {}) => {
    const b = new GraphBuilder('g', new Map([['', 17]]))
    build(b)
    writeModelFile(path(name), modelOf(b.build()), options)
  }
  model('renamed.onnx', (b) => b.output(b.node('Relu', [b.input('q', 'float32', [namedDim('batch'), 4])]), 'y'))
  // Two open dimensions of different names that must agree, and a usual size that does not divide.
  model('picky.onnx', (b) => {
    const x = b.input('x', 'float32', [namedDim('n'), namedDim('k')])
    b.output(
      b.node('MatMul', [
        b.node('Reshape', [x, b.int64s([-1, 7])]),
        b.constant(tensor('float32', [7, 1], Array(7).fill(1))),
      ]),
      'y',
    )
  })
  const random = createRandom(1)
  model(
    'lost.onnx',
    (b) => {
      const w = b.constant(tensor('float32', [4, 512], Array.from({ length: 2048 }, random.normal)))
      b.output(b.node('MatMul', [b.input('x', 'float32', [1, 4]), w]), 'y')
    },
    { externalAboveBytes: 1024 },
  )
  for (const name of readdirSync(path('.')).filter((f) => f.startsWith('lost.onnx.'))) truncateSync(path(name), 16)
  for (const [name, shape] of [
    ['wide-inputs', [1, 5]],
    ['flat-inputs', [4]],
  ] as const) {
    mkdirSync(path(name))
    const zeros = new Float64Array(shape.reduce((a: number, b) => a * b, 1))
    writeFileSync(path(`${name}/input_0.pb`), encodeTensor(tensor('float32', [...shape], zeros)))
  }
  for (const [name, file] of [
    ['torn-inputs', 'input_0.pb'],
    ['npy-inputs', 'x.npy'],
  ] as const) {
    mkdirSync(path(name))
    writeFileSync(path(`${name}/${file}`), 'neither')
  }
  const about = { about: { name: 'd', description: 'A test.', licence: 'MIT', seed: 1 }, machine: {} }
  for (const name of ['data', 'damaged-data']) await (await openDataset(path(name), about)).close()
  writeFileSync(path('damaged-data/graphs.csv'), `${readFileSync(path('damaged-data/graphs.csv'), 'utf8')}a,b\n`)
  for (const name of ['model', 'damaged-model']) {
    mkdirSync(path(name))
    for (const f of ['model.json', 'weights.bin', 'features.json'])
      writeFileSync(path(`${name}/${f}`), readFileSync(new URL(f, SHIPPED_MODEL)))
  }
  truncateSync(path('damaged-model/weights.bin'), 1000)
  for (const [name, law] of [
    ['foreign-rules.json', 'Foo(x) => x'],
    ['unbound-rules.json', 'Relu(x) => y'],
    ['wrong-rules.json', 'Relu(x) => x'],
  ] as const)
    writeFileSync(path(name), JSON.stringify({ schema: 'allotrope.rules/1', rules: [{ name: 'mine', law }] }))
  writeFileSync(path('other.json'), '{"schema": "something else"}\n')
  writeFileSync(path('text.json'), 'not JSON\n')
  const { gainRun } = await import('../../report/fixtures.ts')
  writeFileSync(path('run.json'), JSON.stringify(gainRun))
}
