// ONNX's own backend cases: the reference interpreter gives their expected outputs, and inference their types.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect } from 'chai'
import { UnsupportedError } from '../../src/base/errors.ts'
import { DTYPES, type DType } from '../../src/ir/dtype.ts'
import { evaluateGraph } from '../../src/ir/evaluate.ts'
import type { Graph, ValueId } from '../../src/ir/graph.ts'
import { type Fact, inferFacts } from '../../src/ir/infer.ts'
import { findOp } from '../../src/ir/ops/index.ts'
import { isConcrete, shapeText } from '../../src/ir/shape.ts'
import { type NdArray, type Tensor, toNdArray } from '../../src/ir/tensor.ts'
import { findProblems } from '../../src/ir/validate.ts'
import { parseTensor, readModel } from '../../src/onnx/index.ts'
import { sharedArchive } from '../support/shared-data.ts'

/** Cases whose expected values a float64 reference cannot give. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  test_resize_downsample_scales_cubic_align_corners: 'ONNX Runtime rounds the output size first, and so do we',
  test_dynamicquantizelinear_expanded: 'a tie that float32 rounds the other way',
}

/** Differences relative to 1 + |expected|. Some float32 expectations were printed with four decimals. */
const TOLERANCE: Partial<Record<DType, number>> = { float32: 1e-4, float64: 1e-7, float16: 4e-3, bfloat16: 3e-2 }

const isComputable = (t: Tensor): boolean => ['float', 'int', 'bool'].includes(DTYPES[t.dtype].kind)

function readTensors(folder: string, kind: 'input' | 'output'): Tensor[] {
  const files = readdirSync(join(folder, 'test_data_set_0')).filter((f) => f.startsWith(`${kind}_`))
  return files.map((_, i) => parseTensor(readFileSync(join(folder, 'test_data_set_0', `${kind}_${i}.pb`))))
}

function differences(got: NdArray, expected: NdArray): string[] {
  const text = (a: NdArray) => `${a.dtype}${shapeText(a.shape)}`
  if (text(got) !== text(expected)) return [`is ${text(got)}, expected ${text(expected)}`]
  const tolerance = TOLERANCE[expected.dtype] ?? 0
  const at = expected.data.findIndex((e, i) => {
    const g = got.data[i]!
    return !(Object.is(g, e) || g === e || Math.abs(g - e) <= tolerance * (1 + Math.abs(e)))
  })
  return at < 0 ? [] : [`element ${at} is ${got.data[at]}, expected ${expected.data[at]}`]
}

function typeDifferences(fact: Fact, expected: NdArray): string[] {
  const type = fact.type
  if (!type) return []
  const sizes =
    type.shape.length === expected.shape.length &&
    (!isConcrete(type.shape) || shapeText(type.shape) === shapeText(expected.shape))
  return sizes && type.dtype === expected.dtype ? [] : [`inferred ${type.dtype}${shapeText(type.shape)}`]
}

function compare(graph: Graph, inputs: readonly Tensor[], outputs: readonly Tensor[]): string[] {
  const feeds = Object.fromEntries(inputs.map((t, i) => [graph.values[graph.inputs[i]!]!.name, toNdArray(t)]))
  const got = evaluateGraph(graph, feeds)
  const facts = inferFacts(graph)
  return graph.outputs.flatMap((v: ValueId, i) => {
    const expected = toNdArray(outputs[i]!)
    const name = graph.values[v]!.name
    return [...differences(got[name]!, expected), ...typeDifferences(facts[v]!, expected)].map((d) => `${name} ${d}`)
  })
}

type Verdict = { readonly kind: 'equal' | 'opaque' | 'unsupported' } | { readonly kind: 'wrong'; readonly text: string }

function judge(folder: string): Verdict {
  const { graph } = readModel(readFileSync(join(folder, 'model.onnx')))
  if (!graph.nodes.every((n) => findOp(n.domain, n.op))) return { kind: 'opaque' }
  const foreign = [...graph.inputs, ...graph.outputs].some((v) => graph.values[v]!.foreignType)
  if (foreign) return { kind: 'opaque' }
  const [inputs, outputs] = [readTensors(folder, 'input'), readTensors(folder, 'output')]
  if (![...inputs, ...outputs].every(isComputable)) return { kind: 'unsupported' }
  try {
    const wrong = [...findProblems(graph), ...compare(graph, inputs, outputs)]
    return wrong.length === 0 ? { kind: 'equal' } : { kind: 'wrong', text: `${basename(folder)}: ${wrong.join('; ')}` }
  } catch (error) {
    if (error instanceof UnsupportedError) return { kind: 'unsupported' }
    throw new Error(basename(folder), { cause: error })
  }
}

describe("ir: ONNX's own cases", function () {
  this.timeout(60_000)

  it('that consist of known operators give their expected outputs, and are valid', function () {
    const shared = sharedArchive('onnx-node-tests')
    if (!shared.ok) {
      console.log(`      skipped: ${shared.reason}`)
      this.skip()
    }
    const root = join(shared.path, 'onnx-node-tests')
    const folders = ['node', 'simple'].flatMap((kind) => readdirSync(join(root, kind)).map((c) => join(root, kind, c)))
    const verdicts = folders.filter((f) => !EXCEPTIONS[basename(f)]).map(judge)
    expect(verdicts.flatMap((v) => (v.kind === 'wrong' ? [v.text] : []))).to.deep.equal([])
    expect(verdicts.filter((v) => v.kind === 'equal').length).to.be.at.least(1100)
  })
})
