// The bench on a GPU, or on software Vulkan where there is none: slow, so a small model and few blocks.
import { expect } from 'chai'
import { measure } from '../../src/bench/measure.ts'
import { verifyModels } from '../../src/bench/verify.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { BACKENDS } from '../../src/runtime/index.ts'
import { ModelFolder, normal, unwrap } from '../runtime/models.ts'

describe('bench on WebGPU', function () {
  this.timeout(60_000)
  const models = new ModelFolder()
  const [cpu, webgpu] = [BACKENDS.cpu(), BACKENDS.webgpu({ timeoutMs: 30_000 })]
  after(async () => {
    await Promise.all([cpu.close(), webgpu.close()])
    models.remove()
  })

  it('verifies against the CPU and times a small model', async function () {
    const { available, reason } = await webgpu.probe()
    if (!available) {
      console.log(`      WebGPU is absent: ${reason}`)
      return this.skip()
    }
    const original = models.write('sum', (b) => {
      const x = b.input('x', 'float32', [64, 64])
      b.output(b.node('Sin', [b.node('Add', [x, x])]), 'y')
    })
    const [good, wrong] = [2, 2.01].map((factor) =>
      models.write('scaled', (b) => {
        const x = b.input('x', 'float32', [64, 64])
        b.output(b.node('Sin', [b.node('Mul', [x, b.constant(tensor('float32', [], [factor]))])]), 'y')
      }),
    )
    const target = { oracle: cpu, device: webgpu }
    const sets = [{ label: 'noise', feeds: { x: normal([64, 64]) } }]
    const verification = unwrap(await verifyModels(target, original, good!, sets))
    expect(verification).to.include({ passed: true, inputs: 1 })
    expect(unwrap(await verifyModels(target, original, wrong!, sets)).passed).to.equal(false)
    const reference = { name: 'original', modelPath: original }
    const variants = [{ name: 'scaled', modelPath: good! }]
    const options = { seed: 1, blocks: 3, dropAbove: Number.POSITIVE_INFINITY }
    const measurement = unwrap(await measure(webgpu, reference, variants, sets[0]!.feeds, options))
    expect(measurement.warnings).to.deep.equal([])
    expect(measurement.variants[0]).to.include({ kind: 'timed', name: 'scaled' })
  })
})
