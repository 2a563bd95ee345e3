import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { type Kernel, learnedModel, loadModel } from '../../src/cost/index.ts'
import { readDataset } from '../../src/dataset/index.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/** Every model of the repository; a new one needs no test of its own. */
describe('the shipped cost models', function () {
  this.timeout(30_000)

  for (const name of readdirSync(join(ROOT, 'models'))) {
    const stored = loadModel(join(ROOT, 'models', name))
    const dataset = readDataset(join(ROOT, 'datasets', stored.provenance.dataset))
    const kernels = dataset.tables.kernels.slice(0, 300).map((k) => JSON.parse(k.definition) as Kernel)

    it(`${name} was trained on the dataset as it is committed`, () => {
      expect(stored.provenance.datasetHash).to.equal(dataset.contentHash)
      expect(existsSync(join(ROOT, 'models', name, 'card.md'))).to.equal(true)
    })

    it(`${name} prices kernels: finite, positive, the same every time, a batch as its parts`, () => {
      const model = learnedModel(stored)
      const prices = model.price(kernels)
      for (const p of prices) expect(p).to.be.greaterThan(0).and.lessThan(1e9)
      expect(model.price(kernels)).to.deep.equal(prices)
      for (const i of [0, 7, 123]) expect(model.price([kernels[i]!])[0]).to.equal(prices[i])
    })
  }
})
