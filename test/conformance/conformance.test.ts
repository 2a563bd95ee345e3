// A sample of ONNX's own backend cases, rewritten by all rules; `npm run conformance -- DIR` judges all of any such folder.
import { join } from 'node:path'
import { expect } from 'chai'
import { sharedArchive } from '../support/shared-data.ts'
import { findCases } from './cases.ts'
import { runSuite } from './suite.ts'

/** One case in this many: about ten seconds. */
const STRIDE = 13

describe("conformance: a sample of ONNX's own cases", function () {
  this.timeout(120_000)

  it('give the expected outputs however they are rewritten', async function () {
    const shared = sharedArchive('onnx-node-tests')
    if (!shared.ok) {
      console.log(`      skipped: ${shared.reason}`)
      this.skip()
    }
    const cases = findCases(join(shared.path, 'onnx-node-tests')).filter((_, i) => i % STRIDE === 0)
    const tally = await runSuite(cases, () => {})
    expect(tally.firstFailures).to.deep.equal([])
    expect(tally.parsed).to.equal(cases.length)
    expect(tally.equal).to.be.greaterThan(70)
    expect(tally.rewritten).to.be.greaterThan(5)
  })
})
