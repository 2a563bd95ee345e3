import { expect } from 'chai'
import { describeMachine } from '../../src/bench/machine.ts'

describe('machine', () => {
  it('is described by what timings depend on, and its id by that alone', () => {
    const machine = describeMachine()
    expect(machine.cores).to.be.greaterThan(0)
    expect(machine.memoryBytes).to.be.greaterThan(2 ** 28)
    expect(machine.node).to.equal(process.versions.node)
    expect(machine.onnxruntime).to.match(/^\d+\.\d+\.\d+/)
    expect(machine.loadAverage).to.have.length(3)
    expect(machine.id).to.match(/^[0-9a-f]{16}$/)
    expect(describeMachine().id).to.equal(machine.id)
    expect(JSON.parse(JSON.stringify(machine))).to.deep.equal(machine)
  })
})
