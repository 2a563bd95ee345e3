import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { readDataset } from '../../src/dataset/index.ts'
import { chooseSetting, samplesOf } from '../../src/train.ts'

const ROOT = resolve(import.meta.dirname, '../../datasets')

/** Every dataset of the repository; a new one needs no test of its own. */
describe('the committed datasets', function () {
  this.timeout(30_000)

  for (const name of readdirSync(ROOT)) {
    const dataset = readDataset(join(ROOT, name))

    it(`${name} is whole: every row fits the schema and refers to rows that are there`, () => {
      expect(dataset.notes).to.deep.equal([])
      const { kernelSamples, graphs } = samplesOf(dataset, chooseSetting(dataset, {}))
      expect(kernelSamples.length).to.be.greaterThan(1000)
      expect(graphs.length).to.be.greaterThan(100)
    })

    it(`${name} says on what machine and device it was timed`, () => {
      const { provider } = chooseSetting(dataset, {})
      expect(provider).to.match(/onnxruntime \d+\.\d+\.\d+$/)
      expect(dataset.machine).to.include.keys('cpu', 'cores', 'os', 'onnxruntime')
    })
  }

  it('cpu-x64 holds at least 6,000 kernels, and 800 variants of 30 graphs in 8 families', () => {
    const { kernels, variants, graphs } = readDataset(join(ROOT, 'cpu-x64')).tables
    expect(kernels.length).to.be.at.least(6000)
    expect(variants.length).to.be.at.least(800)
    expect(graphs.length).to.be.at.least(30)
    expect(new Set(graphs.map((g) => g.family)).size).to.be.at.least(8)
  })
})
