// Training, on a made-up machine whose times do not follow the roofline. Small and on the wasm backend, which every
// installation has.
import { expect } from 'chai'
import { createRandom } from '../../src/base/random.ts'
import { calibratedRoofline } from '../../src/cost/baselines/calibrated-roofline.ts'
import type { evaluate } from '../../src/cost/evaluate.ts'
import { factsOf, featureMatrix, type KernelFacts } from '../../src/cost/features.ts'
import type { Kernel } from '../../src/cost/kernel.ts'
import { DEFAULT_CORRECTION } from '../../src/cost/labels.ts'
import { createDrawer } from '../../src/cost/learned/batches.ts'
import { DEFAULT_FIT, type FitOptions, type FitResult, fitNetwork } from '../../src/cost/learned/fit.ts'
import { LAYER_SIZES, networkModel, networkOf, scaleFeatures, scalingOf } from '../../src/cost/learned/network.ts'
import { createNetwork, lossOf, residual, variablesOf } from '../../src/cost/learned/tensor-network.ts'
import type { GraphSample, KernelSample, Samples } from '../../src/cost/samples.ts'
import { loadTrainer, type Tf } from '../../src/cost/tensorflow.ts'

/** Products whose rate depends on their narrowest side, and element-wise kernels that are slow beyond a size. */
function madeUpKernels(count: number): { kernels: Kernel[]; facts: KernelFacts[]; micros: number[] } {
  const random = createRandom(1)
  const size = () => Math.round(8 * 2 ** (5 * random.next()))
  const x = (shape: number[], constant = false) => ({ dtype: 'float32', shape, constant }) as const
  const kernels = Array.from({ length: count }, (): Kernel => {
    const [m, k, n] = [size(), size(), size()]
    return random.next() < 0.5
      ? { op: 'MatMul', inputs: [x([m, k]), x([k, n], true)], outputs: [x([m, n])], attributes: {} }
      : { op: 'Relu', inputs: [x([m, 4 * n])], outputs: [x([m, 4 * n])], attributes: {} }
  })
  const facts = factsOf(kernels)
  const micros = facts.map(({ geometry: g, work }) => {
    const rate = 4e4 * Math.min(1, Math.min(g.m, g.k, g.n) / 64)
    const bandwidth = work.bytesRead > 2e5 ? 2e3 : 1e4
    return 2 + (work.flops > work.bytesRead ? work.flops / rate : work.bytesRead / bandwidth)
  })
  return { kernels, facts, micros }
}

const { kernels, facts, micros } = madeUpKernels(300)

function madeUpSamples(): Samples {
  const random = createRandom(2)
  const kernelSamples = kernels.map((_, kernel): KernelSample => {
    const profiled = (micros[kernel]! + DEFAULT_CORRECTION.perKernel) / DEFAULT_CORRECTION.slope
    return { kernel, micros: profiled, source: 'synthetic', root: null, family: null }
  })
  const graphs = Array.from({ length: 80 }, (_, i): GraphSample => {
    const counts = Array.from({ length: 6 }, () => [random.below(kernels.length), 1 + random.below(3)] as const)
    const time = 15 + counts.reduce((s, [k, n]) => s + n * micros[k]!, 0)
    const root = `root${i % 10}`
    return {
      variant: `v${i}`,
      root,
      family: 'f',
      plans: i < 10 ? ['original'] : [],
      counts,
      micros: time,
      repeats: [time],
      noise: 0.01,
      profiledMicros: null,
    }
  })
  return { kernels, kernelSamples, graphs }
}

const SMALL: FitOptions = {
  ...DEFAULT_FIT,
  seed: 5,
  members: 2,
  steps: 200,
  checkEvery: 50,
  batch: { kernels: 64, roots: 3, variantsPerRoot: 6 },
}

describe('training', function () {
  this.timeout(60_000)
  let tf: Tf
  let tensorsBefore = 0
  const samples = madeUpSamples()
  const trainSmall = () => fitNetwork(tf, samples, facts, DEFAULT_CORRECTION, SMALL)
  let result: FitResult
  before(async () => {
    tf = (await loadTrainer('wasm')).tf
    tensorsBefore = tf.memory().numTensors
    result = await trainSmall()
  })

  it('ends closer to the truth than the calibrated roofline that it starts from', () => {
    const labels = facts.map((f, i) => ({ facts: f, micros: micros[i]! }))
    const roofline = calibratedRoofline.fit({ labels, facts, graphs: samples.graphs, seed: 1 })
    const error = (model: Parameters<typeof evaluate>[0]) => {
      const prices = model.priceFacts(facts)
      return micros.reduce((s, m, i) => s + Math.abs(Math.log(prices[i]! / m)), 0)
    }
    expect(error(networkModel('m', result.parameters))).to.be.below(0.7 * error(roofline))
  })
  it('predicts each root by a member that did not see it', () => {
    expect(result.unseen.filter((p) => p === null).length).to.equal(80 - 2 * 2 * 8) // 2 of 5 folds of 10 roots of 8
    for (const p of result.unseen) if (p !== null) expect(p).to.be.finite.and.above(0)
  })
  it('gives the same weights for the same seed', async () => {
    const again = await trainSmall()
    expect(again).to.deep.equal(result)
  })
  it('keeps no tensor', () => {
    expect(tf.memory().numTensors).to.equal(tensorsBefore)
  })
  it('computes in TensorFlow.js what pricing computes in plain numbers', () => {
    const { scaling, members } = result.parameters
    const { layers } = members[0]!
    const x = scaleFeatures(featureMatrix(facts), scaling)
    const width = LAYER_SIZES[0]!
    const network = createNetwork(tf, layers, { logScale: 0, logOverhead: 0 })
    const theirs = tf.tidy(() => residual(tf, network, tf.tensor2d(x, [facts.length, width])).dataSync())
    for (const v of variablesOf(network)) v.dispose()
    const ours = facts.map((_, i) => 2.5 * Math.tanh(networkOf(layers)(x.subarray(i * width, (i + 1) * width))))
    ours.forEach((value, i) => {
      expect(value).to.be.closeTo(theirs[i]!, 1e-4)
    })
  })
  it('has gradients that agree with finite differences', () => {
    const raw = featureMatrix(facts)
    const tensors = {
      features: scaleFeatures(raw, scalingOf(raw)),
      logBase: Float64Array.from(micros, (m) => Math.log(m) + 0.3),
      opOf: kernels.map((k) => k.op),
    }
    const labels = micros.map((m, kernel) => ({
      kernel,
      logMicros: Math.log(m),
      weight: 1,
      source: 'synthetic' as const,
    }))
    const batch = createDrawer(tensors, labels, samples.graphs, { kernels: 20, roots: 2, variantsPerRoot: 4 }).draw(
      createRandom(1),
    )
    const { layers } = result.parameters.members[0]!
    const start = { logScale: 0.1, logOverhead: 2 }
    const lossAt = (bump: number) => {
      const network = createNetwork(tf, layers, { ...start, logScale: start.logScale + bump })
      // sourceBias follows logScale when it is made: hold it.
      network.sourceBias.assign(tf.tensor2d([[-start.logScale, -start.logScale]]))
      const value = tf.tidy(() => lossOf(tf, network, batch, DEFAULT_FIT.weights).dataSync()[0]!)
      const gradient = tf.tidy(() => {
        const { grads } = tf.variableGrads(() => lossOf(tf, network, batch, DEFAULT_FIT.weights), variablesOf(network))
        return grads[network.logScale.name]!.dataSync()[0]!
      })
      for (const v of variablesOf(network)) v.dispose()
      return { value, gradient }
    }
    const step = 1e-2
    const slope = (lossAt(step).value - lossAt(-step).value) / (2 * step)
    expect(lossAt(0).gradient).to.be.closeTo(slope, 0.02 * Math.abs(slope) + 1e-3)
  })
  it('learns from kernels alone, where there are no graphs', async () => {
    const alone = await fitNetwork(tf, { ...samples, graphs: [] }, facts, DEFAULT_CORRECTION, { ...SMALL, members: 1 })
    expect(alone.steps[0]).to.be.above(0)
    expect(alone.parameters.members[0]!.overheadMicros).to.equal(0)
  })
})
