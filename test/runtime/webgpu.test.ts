// WebGPU for real: on a graphics card where there is one, else on software Vulkan, which a development dependency carries.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { ints } from '../../src/ir/attribute.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { OnnxruntimeBackend, providerShares } from '../../src/runtime/index.ts'
import { adapterName, isSoftware } from '../../src/runtime/probe.ts'
import { softwareVulkanEnvironment, softwareVulkanWish } from '../../src/runtime/software-vulkan.ts'
import { ModelFolder, normal, unwrap } from './models.ts'

describe('WebGPU', function () {
  this.timeout(60_000)
  const models = new ModelFolder()
  const backend = new OnnxruntimeBackend('webgpu')
  after(async () => {
    await backend.close()
    models.remove()
  })

  it('reads the name of the adapter from the Vulkan loader', () => {
    const text =
      '[Vulkan Loader] INFO | DRIVER:       Original order:\n      [0] llvmpipe\n      [1] NVIDIA H100\n' +
      '[Vulkan Loader] INFO | DRIVER:       Sorted order:\n      [0] NVIDIA H100  \n      [1] llvmpipe\n'
    expect(adapterName(text)).to.equal('NVIDIA H100')
    expect(adapterName('nothing of the kind')).to.equal(null)
    expect(['SwiftShader Device (Subzero)', 'llvmpipe (LLVM 15)', 'NVIDIA H100'].map(isSoftware)).to.deep.equal([
      true,
      true,
      false,
    ])
  })

  describe('on software', () => {
    const saved = { ...process.env }
    const cache = mkdtempSync(join(tmpdir(), 'allotrope-cache-test-'))
    after(() => {
      process.env = saved
      rmSync(cache, { recursive: true, force: true })
    })

    it('unpacks its driver once, whole, into the cache of the user', function () {
      process.env.XDG_CACHE_HOME = cache
      const environment = softwareVulkanEnvironment()
      if (!environment) return this.skip() // not linux x64, or @sparticuz/chromium is not installed
      const manifest = environment.VK_ICD_FILENAMES!
      expect(manifest.startsWith(cache)).to.equal(true)
      const files = readdirSync(dirname(manifest))
      expect(files).to.include.members(['libvulkan.so.1', 'libvk_swiftshader.so', 'vk_swiftshader_icd.json'])
      expect(files).to.not.include('driver.tar')
      const before = statSync(manifest).ino
      expect(softwareVulkanEnvironment()).to.deep.equal(environment)
      expect(statSync(manifest).ino).to.equal(before)
      expect(readdirSync(join(cache, 'allotrope'))).to.have.length(1)
    })

    it('is asked for, forbidden or left to need by the environment', () => {
      const wish = (value: string) => {
        process.env.ALLOTROPE_SOFTWARE_VULKAN = value
        return softwareVulkanWish()
      }
      expect([wish('1'), wish('0'), wish('')]).to.deep.equal(['always', 'never', 'if-needed'])
    })
  })

  describe('with an adapter', () => {
    before(async function () {
      const { available, reason } = await backend.probe()
      console.log(`      ${reason}`)
      if (!available) this.skip()
      if (softwareVulkanEnvironment() && isSoftware(reason))
        expect(reason).to.contain('(software: for checking, not for speed)')
    })

    it('says where each kernel ran, with the time that the GPU took', async () => {
      const path = models.write('sum', (b) => {
        const x = b.input('x', 'float32', [32, 32])
        b.output(b.node('Add', [b.node('Sin', [x]), b.constant(normal([32, 32]))]), 'y')
      })
      const s = unwrap(await backend.open(path, { threads: 1, optimization: 'all', profile: true }))
      expect(s.warnings).to.deep.equal([])
      const kernels = unwrap(await s.profile({ x: normal([32, 32]) }, 2))
      expect(providerShares(kernels).map((p) => p.provider)).to.deep.equal(['WebGpuExecutionProvider'])
      expect(kernels.map((k) => k.op)).to.deep.equal(['Sin', 'Add'])
      for (const k of kernels) expect(k.micros).to.be.greaterThan(0)
      expect(kernels[1]!.kernel!.inputs.map((o) => o!.constant)).to.deep.equal([false, true])
      await s.close()
    })

    it('lowers a convolution to the channels-last kernels that it then executes, with the same shapes', async () => {
      const path = models.write('convolution', (b) => {
        const x = b.input('x', 'float32', [1, 3, 8, 8])
        const kernel = b.constant(normal([4, 3, 3, 3]))
        b.output(b.node('Conv', [x, kernel, b.constant(normal([4]))], { pads: ints([1, 1, 1, 1]) }), 'y')
      })
      const lowered = unwrap(await backend.lower(path, new Map([['x', [1, 3, 8, 8]]])))
      const conv = lowered.find((k) => k.op === 'com.ms.internal.nhwc:Conv')!
      expect(lowered.map((k) => k.op)).to.include('com.ms.internal.nhwc:Conv')
      expect(conv.inputs.map((o) => o!.shape)).to.deep.equal([[1, 8, 8, 3], [4, 3, 3, 3], [4]])
      expect(conv.outputs.map((o) => o!.shape)).to.deep.equal([[1, 8, 8, 4]])
      const s = unwrap(await backend.open(path, { threads: 1, optimization: 'all', profile: true }))
      const profiled = unwrap(await s.profile({ x: normal([1, 3, 8, 8]) }, 1))
      await s.close()
      expect(profiled.map((k) => k.kernel)).to.deep.equal(lowered)
    })

    it('warns of work that falls back to the CPU', async () => {
      const path = models.write('part', (b) => {
        const x = b.input('x', 'float32', [2, 2])
        const wide = b.node('Cast', [x], { to: { kind: 'int', value: 11 } }) // float64, which WebGPU has not
        b.output(b.node('Cast', [b.node('Sin', [b.node('Add', [wide, wide])])], { to: { kind: 'int', value: 1 } }), 'y')
        b.output(b.node('Relu', [x]), 'z')
      })
      const s = unwrap(await backend.open(path, { threads: 1, optimization: 'all', profile: true }))
      expect(s.warnings).to.deep.equal([
        'part of the graph has no webgpu kernel and runs on the CPU; a profile says which part',
      ])
      const kernels = unwrap(await s.profile({ x: tensor('float32', [2, 2], [1, 2, 3, 4]) }, 1))
      expect(providerShares(kernels).map((p) => p.provider)).to.have.members([
        'CPUExecutionProvider',
        'WebGpuExecutionProvider',
      ])
      await s.close()
    })
  })
})
