import { expect } from 'chai'
import { type Demo, demoListing, demoResult, parseFx } from '../../src/torch/index.ts'

const original = parseFx(`graph():
    %x : [num_users=1] = placeholder[target=x]
    %y : [num_users=1] = placeholder[target=y]
    %add : [num_users=1] = call_function[target=operator.add](args = (%x, %y), kwargs = {})
    %mul : [num_users=1] = call_function[target=operator.mul](args = (%add, 2.0), kwargs = {})
    return mul`)
const doubled = parseFx(`graph():
    %x : [num_users=1] = placeholder[target=x]
    %y : [num_users=1] = placeholder[target=y]
    %add : [num_users=1] = call_function[target=operator.add](args = (%x, %y), kwargs = {})
    %add_1 : [num_users=1] = call_function[target=operator.add](args = (%add, %add), kwargs = {})
    return add_1`)

const demo: Demo = {
  title: 'A demonstration',
  original,
  unit: 'graphs',
  iterations: [
    { size: 1, found: ['doubled'] },
    { size: 2, found: [] },
  ],
  variants: [
    { name: 'original', graph: original, ms: 0.009965, maxDiff: 0 },
    { name: 'doubled', graph: doubled, ms: 0.006555, maxDiff: 2.5e-7 },
  ],
  tolerance: 1e-5,
  insights: ['One', 'Two'],
}

describe('the listing of the demonstration', () => {
  it('has every section of the first one, in plain ASCII', () => {
    const listing = demoListing(demo)
    expect(listing).to.match(/^[\x20-\x7e\n]*$/)
    const headings = listing.split('\n').filter((l) => /^[A-Z].*:$|\.\.\.$/.test(l))
    expect(headings).to.deep.equal([
      'Original Graph:',
      'Original Code:',
      'Starting Equality Saturation...',
      'All Generated Variants:',
      'Benchmarking All Variants:',
      'Results:',
      'Optimal Graph IR:',
      'Optimal Python Code:',
      'Verifying Correctness:',
      'Key Insights:',
    ])
  })

  it('lines up names and times, and says best, worst and ratio', () => {
    const listing = demoListing(demo)
    expect(listing).to.contain(
      '   original             0.009965 ms/iteration\n   doubled              0.006555 ms/iteration\n',
    )
    expect(listing).to.contain(
      'Best variant:  doubled (0.006555 ms)\nWorst variant: original (0.009965 ms)\nSpeedup: 1.52x\n',
    )
    expect(listing).to.contain('   pass doubled              max_diff=2.50e-07\n')
    expect(demoResult(demo).ratio).to.be.closeTo(1.52, 0.001)
  })

  it('does not call a difference beyond the tolerance identical', () => {
    const listing = demoListing({ ...demo, variants: [demo.variants[0]!, { ...demo.variants[1]!, maxDiff: 1e-3 }] })
    expect(listing).to.contain('   FAIL doubled').and.to.contain('1 of 2 variants differ')
    expect(listing).to.not.contain('identical')
  })
})
