import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { OPERATORS_DOCUMENT, onnxOperators, operatorsDocument } from '../../.ci/operators-doc.ts'
import { qualifiedName } from '../../src/ir/graph.ts'
import { findOp } from '../../src/ir/ops/index.ts'
import { OPAQUE_BY_DECISION } from '../../src/ir/ops/opaque.ts'

const opaque = OPAQUE_BY_DECISION.flatMap((g) => g.names.map((name) => qualifiedName(g.domain, name)))

describe("ONNX's own operators", () => {
  it('have a record or are opaque by decision, each one of the two', () => {
    const without = onnxOperators.filter(([domain, name]) => findOp(domain, name) === null)
    expect(without.map(([domain, name]) => qualifiedName(domain, name)).sort()).to.deep.equal([...opaque].sort())
  })

  it('stand in docs/operators.md as the registry has them; otherwise run `npm run docs`', () => {
    expect(readFileSync(OPERATORS_DOCUMENT, 'utf8')).to.equal(operatorsDocument())
  })
})
