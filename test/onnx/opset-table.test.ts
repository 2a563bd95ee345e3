import { expect } from 'chai'
import { adapterNames } from '../../src/onnx/opset/adapters.ts'
import { LATEST_OPSET, revisionsOf, tableOperators } from '../../src/onnx/opset/table.ts'

describe('onnx: the table of operator versions', () => {
  it('has an adapter for every change that needs one, and no other adapters', () => {
    const marked = tableOperators.flatMap((op) =>
      revisionsOf(op)!.flatMap((r) => (r.needsAdapter ? [`${op}:${r.opset}`] : [])),
    )
    expect([...adapterNames].sort()).to.deep.equal(marked.sort())
  })

  it('lists versions in rising order up to the latest opset', () => {
    for (const op of tableOperators) {
      const opsets = revisionsOf(op)!.map((r) => r.opset)
      expect(opsets, op).to.deep.equal([...new Set(opsets)].sort((a, b) => a - b))
      expect(opsets.at(-1), op).to.be.at.most(LATEST_OPSET)
      expect(revisionsOf(op)![0]!.needsAdapter, op).to.equal(false)
    }
  })

  it('does not know what is not in ONNX', () => {
    expect(revisionsOf('FusedConv')).to.equal(null)
    expect(revisionsOf('Upsample')!.map((r) => r.opset)).to.deep.equal([1, 7, 9, 10])
  })
})
