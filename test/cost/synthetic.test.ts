// Synthetic graphs: valid, seeded, bounded, and made of what they say.
import { expect } from 'chai'
import { createRandom } from '../../src/base/random.ts'
import { geometryOf } from '../../src/cost/geometry.ts'
import type { Kernel } from '../../src/cost/kernel.ts'
import { RECIPES, syntheticGraph } from '../../src/cost/synthetic/index.ts'
import { Kit } from '../../src/cost/synthetic/kit.ts'
import { rebuild } from '../../src/cost/synthetic/rebuild.ts'
import { workOf } from '../../src/cost/work.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { elementCount } from '../../src/ir/shape.ts'
import { lowerGraph } from '../../src/runtime/kernel-table.ts'

const opsOf = (g: Graph): string[] => g.nodes.map((n) => n.op)

describe('synthetic graphs', function () {
  this.timeout(30_000)
  for (const recipe of RECIPES) {
    it(`of the recipe ${recipe.name} have known shapes and bounded work`, () => {
      for (let seed = 0; seed < 6; seed++) {
        const kit = new Kit('test', createRandom(seed))
        kit.finish(recipe.build(kit))
        const graph = kit.build()
        const { kernels } = lowerGraph(graph, new Map())
        kernels.forEach((k, i) => {
          expect(k, `seed ${seed}: shapes of ${graph.nodes[i]!.op}`).not.to.equal(null)
          expect(workOf(k!, geometryOf(k!)).flops, `seed ${seed}: ${k!.op}`).to.be.below(2e9)
          for (const o of k!.outputs) expect(elementCount(o.shape), `seed ${seed}: ${k!.op}`).to.be.within(1, 2e7)
        })
      }
    })
  }
  it('are the same for the same seed, and others for another', () => {
    const build = (seed: number) => syntheticGraph(createRandom(seed), 8)
    const [a, again, other] = [build(1), build(1), build(2)]
    expect(again).to.deep.equal(a)
    expect(opsOf(other)).not.to.deep.equal(opsOf(a))
  })
  it('let out one element of every kernel, and feed each through a Neg', () => {
    const graph = syntheticGraph(createRandom(3), 10)
    expect(graph.outputs.length).to.be.at.least(10)
    for (const v of graph.outputs) expect(graph.values[v]!.type!.shape).to.deep.equal([1])
    const fed = new Set(graph.nodes.filter((n) => n.op === 'Neg').map((n) => n.inputs[0]))
    for (const v of graph.inputs) expect(fed.has(v)).to.equal(true)
  })
})

describe('kernels that were seen', () => {
  const x = (...shape: number[]) => ({ dtype: 'float32', shape, constant: false }) as const
  const w = (...shape: number[]) => ({ dtype: 'float32', shape, constant: true }) as const
  const seen: readonly (readonly [Kernel, made: string[]])[] = [
    [
      {
        op: 'com.microsoft.nchwc:Conv',
        inputs: [x(1, 16, 8, 8), w(32, 16, 3, 3), w(32), x(1, 32, 8, 8)],
        outputs: [x(1, 32, 8, 8)],
        attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], activation: 'Relu' },
      },
      ['Conv', 'Add', 'Relu'],
    ],
    [
      {
        op: 'com.microsoft:FusedMatMul',
        inputs: [x(2, 4, 8), x(2, 5, 8)],
        outputs: [x(2, 4, 5)],
        attributes: { transB: 1, alpha: 0.5 },
      },
      ['Transpose', 'MatMul', 'Mul'],
    ],
    [
      {
        op: 'com.microsoft:FusedGemm',
        inputs: [x(4, 8), w(8, 5), w(5)],
        outputs: [x(4, 5)],
        attributes: { activation: 'Relu' },
      },
      ['Gemm', 'Relu'],
    ],
    [{ op: 'Softmax', inputs: [x(4, 8)], outputs: [x(4, 8)], attributes: { axis: -1 } }, ['Softmax']],
    [{ op: 'ReduceMean', inputs: [x(4, 8), null], outputs: [x(4, 1)], attributes: { keepdims: 1 } }, ['ReduceMean']],
    [{ op: 'Slice', inputs: [x(4, 8)], outputs: [x(2, 8)], attributes: {} }, ['Slice']],
    [
      {
        op: 'Gather',
        inputs: [w(10, 8), { dtype: 'int64', shape: [1, 3], constant: false }],
        outputs: [x(1, 3, 8)],
        attributes: { axis: 0 },
      },
      ['Gather'],
    ],
    [
      {
        op: 'com.microsoft.nchwc:MaxPool',
        inputs: [x(1, 16, 8, 8)],
        outputs: [x(1, 16, 4, 4)],
        attributes: { kernel_shape: [2, 2], strides: [2, 2] },
      },
      ['Conv', 'MaxPool'],
    ],
    [
      { op: 'com.microsoft:QuickGelu', inputs: [x(4, 8)], outputs: [x(4, 8)], attributes: { alpha: 1.702 } },
      ['QuickGelu'],
    ],
  ]
  for (const [kernel, made] of seen) {
    it(`${kernel.op} is made again from ${made.join(', ')}`, () => {
      const kit = new Kit('test', createRandom(1))
      const value = rebuild(kit, kernel)
      expect(value).not.to.equal(null)
      expect(kit.shapeOf(value!)).to.deep.equal(kernel.outputs[0]!.shape)
      kit.finish(value!)
      for (const op of made) expect(opsOf(kit.build())).to.include(op)
    })
  }
  it('whose inputs carry meaning are left alone', () => {
    const kit = new Kit('test', createRandom(1))
    expect(rebuild(kit, { op: 'ReduceSum', inputs: [x(4, 4), null], outputs: [x(4)], attributes: {} })).to.equal(null)
    expect(rebuild(kit, { op: 'NonZero', inputs: [x(4)], outputs: [x(4)], attributes: {} })).to.equal(null)
    expect(
      rebuild(kit, {
        op: 'Relu',
        inputs: [{ ...x(4), dtype: 'float16' }],
        outputs: [{ ...x(4), dtype: 'float16' }],
        attributes: {},
      }),
    ).to.equal(null)
  })
})
