// Raising in tests: the raised model gives what the original gives in ONNX Runtime; below opset 7, which the runtime no
// longer runs, it gives values worked out by hand from the old definition.
import { expect } from 'chai'
import { type Tensor, toNdArray } from '../../src/ir/tensor.ts'
import { type Model, raiseModel, writeModel } from '../../src/onnx/index.ts'
import { bytesOf, type GraphParts, model, modelProto, value } from './protos.ts'
import { run } from './runtime.ts'

type Feeds = Record<string, Tensor>

export function raised(m: Model, target: number): Model {
  const result = raiseModel(m, target)
  if (!result.ok) throw new Error(result.reason)
  return result.model
}

export function reasonOf(parts: GraphParts, opset: number, target = 21): string {
  const result = raiseModel(model(parts, opset), target)
  return result.ok ? 'raised' : result.reason
}

export async function expectEqual(
  parts: GraphParts,
  opset: number,
  feeds: Feeds,
  targets: readonly number[] = [21],
): Promise<void> {
  const before = await run(bytesOf(modelProto(parts, opset, 8)), feeds)
  for (const target of targets) {
    const after = await run(writeModel(raised(model(parts, opset, 8), target)), feeds)
    expect(after, `opset ${target}`).to.deep.equal(before)
  }
}

export async function valuesOf(parts: GraphParts, opset: number, feeds: Feeds): Promise<number[]> {
  const out = await run(writeModel(raised(model(parts, opset, 3), 21)), feeds)
  return Array.from(toNdArray(Object.values(out)[0]!).data)
}

export const x = (...shape: (number | string)[]) => [value('x', 'float32', shape)]
export const opsOf = (m: Model) => m.graph.nodes.map((n) => n.op).join(' ')
