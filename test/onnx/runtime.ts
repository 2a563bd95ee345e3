// ONNX Runtime as the oracle of tests: values of a model with the runtime's own optimization disabled.
import * as ort from 'onnxruntime-node'
import type { DType } from '../../src/ir/dtype.ts'
import type { Tensor } from '../../src/ir/tensor.ts'

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const

type Values = Readonly<Record<string, Tensor>>

/** A loaded model. Throws what the runtime throws. */
export async function load(model: Uint8Array | string): Promise<ort.InferenceSession> {
  const options = { graphOptimizationLevel: 'disabled', logSeverityLevel: 4, intraOpNumThreads: 1 } as const
  return typeof model === 'string'
    ? ort.InferenceSession.create(model, options)
    : ort.InferenceSession.create(model, options)
}

export async function run(model: Uint8Array | string, feeds: Values): Promise<Values> {
  const session = await load(model)
  try {
    return await runSession(session, feeds)
  } finally {
    await session.release()
  }
}

export async function runSession(session: ort.InferenceSession, feeds: Values): Promise<Values> {
  const results = await session.run(Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, toOrt(t)])))
  return Object.fromEntries(Object.entries(results).map(([name, t]) => [name, fromOrt(t)]))
}

function toOrt(t: Tensor): ort.Tensor {
  if (t.strings)
    return new ort.Tensor(
      'string',
      t.strings.map((s) => Buffer.from(s).toString()),
      t.shape,
    )
  const View = ARRAYS[t.dtype as keyof typeof ARRAYS]
  if (!View) throw new Error(`the runtime takes no ${t.dtype}`)
  return new ort.Tensor(t.dtype as 'float32', new View(new Uint8Array(t.bytes).buffer) as Float32Array, t.shape)
}

function fromOrt(t: ort.Tensor): Tensor {
  const shape = t.dims.map(Number)
  if (t.type === 'string') {
    const strings = (t.data as readonly string[]).map((s) => new Uint8Array(Buffer.from(s)))
    return { dtype: 'string', shape, bytes: new Uint8Array(0), strings }
  }
  const { buffer, byteOffset, byteLength } = t.data as Float32Array
  return { dtype: t.type as DType, shape, bytes: new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength).slice() }
}
