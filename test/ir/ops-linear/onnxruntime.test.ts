// The oracle of the records: every sample runs in ONNX Runtime with its optimisation off, and gives the same types and values.
import { expect } from 'chai'
import * as ort from 'onnxruntime-node'
import { UserError } from '../../../src/base/errors.ts'
import { GraphBuilder } from '../../../src/ir/builder.ts'
import { DTYPES } from '../../../src/ir/dtype.ts'
import { qualifiedName } from '../../../src/ir/graph.ts'
import { findOp } from '../../../src/ir/ops/index.ts'
import { shapeText } from '../../../src/ir/shape.ts'
import { fromNdArray, type NdArray, type Tensor, typedView } from '../../../src/ir/tensor.ts'
import { modelOf, writeModel } from '../../../src/onnx/index.ts'
import { samples } from '../samples/index.ts'
import { arraysOf, callOfSample, type Input, inputsOf, type Sample, sampleText } from '../samples/sample.ts'

// Before the first session of the process: it warns of a RoiAlign that it has long mended.
ort.env.logLevel = 'fatal'

/** Newest ONNX operator set that ONNX Runtime 1.30 runs. */
const NEWEST_OPSET = 26

/** Samples that ONNX Runtime refuses to run on the processor, and why; whatever else it refuses fails. */
const REFUSED: readonly (readonly [why: string, applies: (s: Sample) => boolean])[] = [
  ['older than its kernels', (s) => /^(Add|Mul|PRelu)-6|^(Cast|Tile|Concat|Pad)-1$/.test(`${s.op}-${s.opset}`)],
  ['newer than it', (s) => s.opset > NEWEST_OPSET],
  [
    'made by its optimiser for other devices',
    (s) => s.domain === 'com.ms.internal.nhwc' || /^(NhwcConv|NhwcFusedConv)$/.test(s.op),
  ],
  [
    'on other devices only',
    (s) => /^(FusedMatMulActivation|GemmFastGelu|Bias(Add|Softmax|SplitGelu|Dropout))$/.test(s.op),
  ],
  ['no float64 kernel', (s) => s.inputs === 'z[]' && !/^(Floor|Ceil|Round|Exp|Sin|Cos|Sigmoid|Tanh)$/.test(s.op)],
  ['no kernel since opset 22', (s) => s.op === 'GlobalLpPool' && s.opset >= 22],
  ['images only', (s) => s.op === 'LRN' && !/^f\[\d+,\d+,\d+,\d+\]/.test(s.inputs)],
  ['batch-first recurrence', (s) => s.attributes.layout !== undefined],
  ['dtypes of other devices', (s) => s.op === 'Dropout' && s.inputs.startsWith('!i')],
]

const refusal = (s: Sample): string | null => REFUSED.find(([, applies]) => applies(s))?.[0] ?? null

/** Results whose last step rounds to a whole number may fall on the other side of a tie. */
const TIES = /^(Dynamic)?Q|QuantizeLinear/

interface Runnable {
  readonly bytes: Uint8Array
  readonly feeds: Record<string, ort.Tensor>
}

function runnable(s: Sample, inputs: readonly (Input | null)[]): Runnable {
  const opsets = new Map([['', s.domain === '' ? s.opset : 17]])
  if (s.domain !== '') opsets.set(s.domain, s.opset)
  const builder = new GraphBuilder('sample', opsets)
  const feeds: Record<string, ort.Tensor> = {}
  const ids = inputs.map((input, i) => {
    if (!input) return null
    const t = fromNdArray(input.array)
    if (input.constant) return builder.constant(t)
    feeds[`x${i}`] = toOrt(t)
    return builder.input(`x${i}`, t.dtype, t.shape)
  })
  const outputs = builder.multi(s.op, ids, { domain: s.domain, attributes: s.attributes, outputs: s.outputs })
  outputs.forEach((v, i) => {
    builder.output(v, `y${i}`)
  })
  return { bytes: writeModel(modelOf(builder.build())), feeds }
}

function toOrt(t: Tensor): ort.Tensor {
  const make = ort.Tensor as unknown as new (type: string, data: unknown, dims: readonly number[]) => ort.Tensor
  return new make(t.dtype, typedView(t), t.shape)
}

async function runOracle({ bytes, feeds }: Runnable): Promise<ort.InferenceSession.OnnxValueMapType> {
  const session = await ort.InferenceSession.create(bytes, { graphOptimizationLevel: 'disabled', logSeverityLevel: 4 })
  try {
    return await session.run(feeds)
  } finally {
    await session.release()
  }
}

function expectEqual(got: NdArray, expected: ort.Tensor, s: Sample): void {
  expect(`${got.dtype}${shapeText(got.shape)}`).to.equal(`${expected.type}${shapeText(expected.dims)}`)
  const whole = DTYPES[got.dtype].kind !== 'float'
  const absolute = whole ? (TIES.test(s.op) ? 1 : 0) : 1e-4
  const data = expected.data as ArrayLike<number | bigint>
  for (let i = 0; i < data.length; i++) {
    const [g, e] = [got.data[i]!, Number(data[i])]
    const equal = Object.is(g, e) || g === e || Math.abs(g - e) <= absolute * (whole ? 1 : 1 + Math.abs(e))
    if (!equal) expect.fail(`element ${i} is ${g}, ONNX Runtime says ${e}`)
  }
}

async function check(s: Sample): Promise<void> {
  const inputs = inputsOf(s)
  const op = findOp(s.domain, s.op)!
  const got = op.evaluate(callOfSample(s, inputs), arraysOf(inputs))
  const expected = await runOracle(runnable(s, inputs))
  for (let i = 0; i < s.outputs; i++) expectEqual(got[i]!, expected[`y${i}`] as ort.Tensor, s)
}

describe('ir: every sample agrees with ONNX Runtime', function () {
  this.timeout(60_000)
  for (const s of samples) if (!refusal(s)) it(sampleText(s), () => check(s))

  it('or is one of those that it refuses', async () => {
    const accepted: string[] = []
    for (const s of samples.filter(refusal)) {
      const outcome = await runOracle(runnable(s, inputsOf(s))).then(
        () => 'ran',
        (error: unknown) => (error instanceof UserError ? 'ours' : 'refused'),
      )
      if (outcome !== 'refused') accepted.push(`${qualifiedName(s.domain, s.op)}: ${outcome}`)
    }
    expect(accepted).to.deep.equal([])
  })
})
