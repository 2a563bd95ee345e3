// What real PyTorch printed (fixtures/make.py): read, printed again to the letter, imported, and run to PyTorch's own numbers.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { evaluateGraph } from '../../src/ir/evaluate.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { type NdArray, type Tensor, toNdArray } from '../../src/ir/tensor.ts'
import {
  exportFx,
  forwardCode,
  type InputType,
  importFx,
  moduleSource,
  parseFx,
  parseModules,
  printFx,
  readSafetensors,
} from '../../src/torch/index.ts'

const read = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures', name))

interface Recorded {
  readonly weights: ReadonlyMap<string, Tensor>
  readonly inputs: ReadonlyMap<string, Tensor>
  readonly outputs: readonly Tensor[]
}

function recorded(name: string): Recorded {
  const all = readSafetensors(read(`${name}.safetensors`), name)
  const under = (prefix: string) =>
    new Map([...all].flatMap(([key, t]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), t] as const] : [])))
  const outputs = [...under('output:')].sort(([a], [b]) => Number(a) - Number(b)).map(([, t]) => t)
  return { weights: under('weight:'), inputs: under('input:'), outputs }
}

function inputTypes(inputs: ReadonlyMap<string, Tensor>): Map<string, InputType> {
  return new Map([...inputs].map(([name, t]) => [name, { shape: t.shape, dtype: t.dtype }]))
}

/** Values agree to float32; shapes and dtypes exactly. */
function expectEqual(actual: NdArray, wanted: Tensor, what: string): void {
  expect([actual.dtype, ...actual.shape], what).to.deep.equal([wanted.dtype, ...wanted.shape])
  const { data } = toNdArray(wanted)
  for (const [i, x] of data.entries()) {
    const same = Object.is(x, actual.data[i]) || Math.abs(x - actual.data[i]!) <= 2e-5 * Math.max(1, Math.abs(x))
    if (!same) expect.fail(`${what}: element ${i} is ${actual.data[i]}, PyTorch says ${x}`)
  }
}

function run(graph: Graph, { inputs }: Recorded): NdArray[] {
  const results = evaluateGraph(graph, Object.fromEntries([...inputs].map(([name, t]) => [name, toNdArray(t)])))
  return graph.outputs.map((v) => results[graph.values[v]!.name]!)
}

for (const name of ['vision', 'text']) {
  for (const form of ['fx', 'export', 'core']) {
    describe(`the ${name} model as PyTorch's ${form} prints it`, () => {
      const text = read(`${name}.${form}.txt`).toString('utf8')
      const model = recorded(name)
      const options = { inputs: inputTypes(model.inputs), weights: model.weights, modules: parseModules(text) }

      it('is printed again to the letter, graph and code', () => {
        const graph = parseFx(text)
        expect(text).to.contain(printFx(graph))
        expect(text).to.contain(forwardCode(graph))
      })

      it("computes PyTorch's numbers once imported", () => {
        run(importFx(parseFx(text), options), model).forEach((out, i) => {
          expectEqual(out, model.outputs[i]!, `output ${i}`)
        })
      })

      it('computes them still after it was written as FX and read again', () => {
        const program = exportFx(importFx(parseFx(text), options))
        const again = importFx(parseFx(printFx(program.graph)), { inputs: options.inputs, weights: program.weights })
        run(again, model).forEach((out, i) => {
          expectEqual(out, model.outputs[i]!, `output ${i}`)
        })
        expect(moduleSource(program).source).to.contain('class Model(torch.nn.Module):')
      })
    })
  }
}

describe('the graph that this project started from', () => {
  it('is printed as PyTorch prints it, from an ir graph, with its code', () => {
    const text = read('seed.fx.txt').toString('utf8')
    const shape = { shape: [1024] }
    const graph = importFx(parseFx(text), {
      inputs: new Map([
        ['x', shape],
        ['y', shape],
      ]),
    })
    for (const naming of ['values', 'operators'] as const) {
      const program = exportFx(graph, { naming })
      expect(text).to.contain(`${printFx(program.graph)}\n`)
      expect(text).to.contain(forwardCode(program.graph))
    }
  })
})
