import { expect } from 'chai'
import { tensor, toNdArray } from '../../src/ir/tensor.ts'
import { type Backend, type Feeds, failure, type Session, slowsOnSubnormals } from '../../src/runtime/index.ts'

/** A CPU on which a product with weights below the normal range takes this many milliseconds, and any other 0.05. */
function cpu(subnormalMs: number, asked: string[]): Backend {
  const time = async ({ w }: Feeds) => {
    const isTiny = toNdArray(w!).data[0]! < 2 ** -126
    asked.push(isTiny ? 'subnormal' : 'usual')
    return { ok: true, value: [9, isTiny ? subnormalMs : 0.05, 9] } as const
  }
  const session = { time, close: async () => {} } as unknown as Session
  return { name: 'cpu', open: async () => ({ ok: true, value: session }) } as unknown as Backend
}

describe('whether a processor is slow at subnormal numbers', () => {
  it('is timed once, by the fastest of a few products', async () => {
    const asked: string[] = []
    const [slow, usual] = [cpu(2, asked), cpu(0.06, [])]
    expect(await slowsOnSubnormals(slow)).to.equal(true)
    expect(await slowsOnSubnormals(slow)).to.equal(true)
    expect(asked).to.deep.equal(['usual', 'subnormal'])
    expect(await slowsOnSubnormals(usual)).to.equal(false)
  })

  it('is not asked of other devices, nor known where nothing runs', async () => {
    expect(await slowsOnSubnormals({ name: 'webgpu' } as Backend)).to.equal(false)
    const broken = { name: 'cpu', open: async () => failure('crash', 'no') } as unknown as Backend
    expect(await slowsOnSubnormals(broken)).to.equal(false)
  })

  it('a tensor of such numbers keeps them', () => {
    expect(toNdArray(tensor('float32', [1], [1e-39])).data[0]).to.be.closeTo(1e-39, 1e-44)
  })
})
