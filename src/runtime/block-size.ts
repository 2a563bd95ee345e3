// How many channels one block of ONNX Runtime's blocked layout (NCHWc) has on the machine that a model is for: 16 with AVX-512 and
// Neon, else 8. Nothing tells it but what the runtime makes of a convolution, so one of 8 channels is lowered and looked at.
import { GraphBuilder } from '../ir/builder.ts'
import type { BlockSize } from '../ir/nchwc.ts'
import { NCHWC_DOMAIN } from '../ir/ops/ort-nchwc.ts'
import { tensor } from '../ir/tensor.ts'
import { modelOf } from '../onnx/index.ts'
import type { Backend } from './backend.ts'

const CHANNELS = 8

const known = new WeakMap<Backend, Promise<BlockSize | null>>()

/** Channels of a block; null: the device has no blocked layout. Asked once of each backend. */
export function blockSizeOf(backend: Backend): Promise<BlockSize | null> {
  const size = known.get(backend) ?? probe(backend)
  known.set(backend, size)
  return size
}

async function probe(backend: Backend): Promise<BlockSize | null> {
  if (backend.name !== 'cpu') return null
  const b = new GraphBuilder('convolution', new Map([['', 17]]))
  const x = b.input('x', 'float32', [1, 3, CHANNELS, CHANNELS])
  const w = b.constant(tensor('float32', [CHANNELS, 3, 1, 1], new Array(CHANNELS * 3).fill(1)))
  b.output(b.node('Conv', [x, w]), 'y')
  const lowered = await backend.lower(modelOf(b.build()), new Map())
  if (!lowered.ok) return null
  const padded = lowered.value.find((k) => k.op === `${NCHWC_DOMAIN}:Conv`)?.inputs[1]?.shape[0]
  return padded === 8 || padded === 16 ? padded : null
}
