// Whether the processor takes long for numbers below the normal range, as Intel's do and AMD's do not: one product of matrices is timed
// with usual weights and with such.
import { GraphBuilder } from '../ir/builder.ts'
import { tensor } from '../ir/tensor.ts'
import { modelOf, writeModelFile } from '../onnx/index.ts'
import type { Backend, Session } from './backend.ts'
import { ScratchFolder } from './scratch-folder.ts'

const SIZE = 96
const SUBNORMAL = 1e-39
/** It is 20 to 100 times as long there, and as long elsewhere. */
const SLOW = 4

const known = new WeakMap<Backend, Promise<boolean>>()

/** Asked once of each backend; false for devices other than the CPU, and where it cannot be timed. */
export function slowsOnSubnormals(backend: Backend): Promise<boolean> {
  const answer = known.get(backend) ?? probe(backend)
  known.set(backend, answer)
  return answer
}

async function probe(backend: Backend): Promise<boolean> {
  if (backend.name !== 'cpu') return false
  const scratch = new ScratchFolder()
  try {
    const path = scratch.fresh('product.onnx')
    writeModelFile(path, modelOf(productOfInputs()))
    const session = await backend.open(path, { threads: 1, optimization: 'all' })
    if (!session.ok) return false
    const [usual, subnormal] = [await fastest(session.value, 1), await fastest(session.value, SUBNORMAL)]
    await session.value.close()
    return usual !== null && subnormal !== null && subnormal > SLOW * usual
  } finally {
    scratch.remove()
  }
}

function productOfInputs() {
  const b = new GraphBuilder('product', new Map([['', 17]]))
  const [x, w] = [b.input('x', 'float32', [SIZE, SIZE]), b.input('w', 'float32', [SIZE, SIZE])]
  b.output(b.node('MatMul', [x, w]), 'y')
  return b.build()
}

/** Milliseconds of the fastest of a few products with a weight of this number everywhere. */
async function fastest(session: Session, weight: number): Promise<number | null> {
  const filled = (value: number) => tensor('float32', [SIZE, SIZE], new Array<number>(SIZE * SIZE).fill(value))
  const times = await session.time({ x: filled(1), w: filled(weight) }, { repeats: 5, batch: 1 })
  return times.ok ? Math.min(...times.value) : null
}
