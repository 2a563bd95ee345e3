// What every cost model promises, looped over all of them: finite, positive, deterministic, a batch prices as its parts.
import { expect } from 'chai'
import { createRandom, type Random } from '../../src/base/random.ts'
import type { FitInput } from '../../src/cost/baselines/baseline.ts'
import { baselines } from '../../src/cost/baselines/index.ts'
import { asCostModel } from '../../src/cost/facts-model.ts'
import { factsOf } from '../../src/cost/features.ts'
import {
  type CostModel,
  type Kernel,
  type KernelOperand,
  kernelSignature,
  untrainedModel,
} from '../../src/cost/index.ts'

const operand = (shape: readonly number[], constant = false): KernelOperand => ({ dtype: 'float32', shape, constant })

function randomKernel(random: Random): Kernel {
  const size = () => 1 + random.below(200)
  const [m, k, n] = [size(), size(), size()]
  return random.pick<() => Kernel>([
    () => ({
      op: 'MatMul',
      inputs: [operand([m, k]), operand([k, n], true)],
      outputs: [operand([m, n])],
      attributes: {},
    }),
    () => ({ op: 'Relu', inputs: [operand([m, n])], outputs: [operand([m, n])], attributes: {} }),
    () => ({ op: 'Transpose', inputs: [operand([m, n])], outputs: [operand([n, m])], attributes: { perm: [1, 0] } }),
    () => ({ op: 'org.unheard:Of', inputs: [operand([m]), null], outputs: [operand([n])], attributes: { x: 'y' } }),
    () => ({
      op: 'com.microsoft:FusedConv',
      inputs: [operand([1, k, 16, 16]), operand([m, k, 3, 3], true), operand([m], true)],
      outputs: [operand([1, m, 16, 16])],
      attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], activation: 'Relu' },
    }),
  ])()
}

const random = createRandom(1)
const kernels = Array.from({ length: 60 }, () => randomKernel(random))
const facts = factsOf(kernels)

/** Times by a made-up machine. */
const micros = facts.map((f) => 2 + f.work.flops / 3e4 + (f.work.bytesRead + f.work.bytesWritten) / 8e3)
const input: FitInput = { labels: facts.map((f, i) => ({ facts: f, micros: micros[i]! })), facts, graphs: [], seed: 7 }

const models: readonly CostModel[] = [untrainedModel(), ...baselines.map((b) => asCostModel(b.fit(input)))]

for (const model of models) {
  describe(`the cost model ${model.name}`, () => {
    it('prices every kernel, unknown operators included, finite and positive', () => {
      for (const price of model.price(kernels)) expect(price).to.be.finite.and.above(0)
    })
    it('prices a batch as its parts, in order, whatever was priced before', () => {
      const whole = model.price(kernels)
      const parts = [...kernels].reverse().map((k) => model.price([k])[0]!)
      expect([...whole].reverse()).to.deep.equal(parts)
    })
    it('prices nothing at all', () => {
      expect(model.price([])).to.have.length(0)
    })
  })
}

describe('baselines', () => {
  for (const baseline of baselines) {
    it(`${baseline.name} fitted twice on the same measurements gives the same prices`, () => {
      const again = asCostModel(baseline.fit(input))
      expect([...again.price(kernels)]).to.deep.equal([...asCostModel(baseline.fit(input)).price(kernels)])
    })
    it(`${baseline.name} can be fitted on nothing`, () => {
      const model = asCostModel(baseline.fit({ labels: [], facts: [], graphs: [], seed: 1 }))
      for (const price of model.price(kernels)) expect(price).to.be.finite.and.above(0)
    })
  }
  it('the calibrated roofline finds the machine that made the times', () => {
    const model = asCostModel(baselines.find((b) => b.name === 'rooflineCalibrated')!.fit(input))
    const errors = model.price(kernels).map((p, i) => Math.abs(p / micros[i]! - 1))
    expect(Math.max(...errors)).to.be.below(0.02)
  })
  it('the table of operators answers measured kernels exactly', () => {
    const table = asCostModel(baselines.find((b) => b.name === 'opTable')!.fit(input))
    const once = new Map(kernels.map((k, i) => [kernelSignature(k), i]))
    const distinct = [...once.values()]
    expect([...table.price(distinct.map((i) => kernels[i]!))]).to.deep.equal(distinct.map((i) => micros[i]!))
  })
})
