// Adapters: the raised model gives what the original gives in ONNX Runtime; below opset 7, which the runtime no longer
// runs, it gives values worked out by hand from the old definition.
import { create, fromBinary } from '@bufbuild/protobuf'
import { expect } from 'chai'
import type { Tensor } from '../../src/ir/tensor.ts'
import { tensor, toNdArray } from '../../src/ir/tensor.ts'
import { FunctionProtoSchema, ModelProtoSchema } from '../../src/onnx/generated/onnx_pb.ts'
import { type Model, raiseModel, raiseOpset, readModel, writeModel } from '../../src/onnx/index.ts'
import { bytesOf, f32, type GraphParts, graphProto, i64, model, modelProto, node, ramp, value } from './protos.ts'
import { run } from './runtime.ts'

type Feeds = Record<string, Tensor>

function raised(m: Model, target: number): Model {
  const result = raiseModel(m, target)
  if (!result.ok) throw new Error(result.reason)
  return result.model
}

function reasonOf(parts: GraphParts, opset: number, target = 21): string {
  const result = raiseModel(model(parts, opset), target)
  return result.ok ? 'raised' : result.reason
}

async function expectEqual(
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

async function valuesOf(parts: GraphParts, opset: number, feeds: Feeds): Promise<number[]> {
  const out = await run(writeModel(raised(model(parts, opset, 3), 21)), feeds)
  return Array.from(toNdArray(Object.values(out)[0]!).data)
}

const x = (...shape: (number | string)[]) => [value('x', 'float32', shape)]
const opsOf = (m: Model) => m.graph.nodes.map((n) => n.op).join(' ')

describe('onnx: raising opsets', () => {
  describe('attributes that became inputs', () => {
    it('Squeeze and Unsqueeze take axes as an input', async () => {
      const nodes = [
        node('Unsqueeze', 'x', 'u', { axes: [0, 3] }),
        node('Squeeze', 'u', 's', { axes: [0] }),
        node('Squeeze', 's', 'y'),
      ]
      await expectEqual({ nodes, inputs: x(2, 3), outputs: ['u', 's', 'y'] }, 11, { x: ramp([2, 3]) }, [13, 21])
    })

    for (const op of 'L1 L2 LogSum LogSumExp Max Mean Min Prod Sum SumSquare'.split(' '))
      it(`Reduce${op} takes axes as an input`, async () => {
        const name = `Reduce${op}`
        const nodes = [
          node(name, 'x', 'a', { axes: [1], keepdims: 0 }),
          node(name, 'x', 'b', { axes: [-1, 0] }),
          node(name, 'x', 'c', { keepdims: 0 }),
        ]
        await expectEqual(
          { nodes, inputs: x(2, 3, 4), outputs: ['a', 'b', 'c'] },
          12,
          { x: ramp([2, 3, 4], 1) },
          [13, 18, 21],
        )
      })

    it('Slice takes starts, ends and axes as inputs', async () => {
      const nodes = [
        node('Slice', 'x', 'a', { starts: [1], ends: [9223372036854776000], axes: [1] }),
        node('Slice', 'x', 'b', { starts: [0, -2], ends: [1, -1] }),
      ]
      // 2^63 - 1, "to the end", as exporters write it
      nodes[0]!.attribute[1]!.ints = [9223372036854775807n]
      await expectEqual({ nodes, inputs: x(2, 3), outputs: ['a', 'b'] }, 9, { x: ramp([2, 3]) }, [10, 13, 21])
    })

    it('Split takes sizes as an input, or the number of its outputs', async () => {
      const nodes = [
        node('Split', 'x', 'a b', { split: [1, 3], axis: 1 }),
        node('Split', 'x', 'c d', { axis: 1 }),
        node('Split', 'x', 'e f'),
      ]
      const outputs = ['a', 'b', 'c', 'd', 'e', 'f']
      await expectEqual({ nodes, inputs: x(2, 4), outputs }, 11, { x: ramp([2, 4]) }, [13, 18, 21])
    })

    it('Clip takes bounds as inputs of the dtype of its operand', async () => {
      const nodes = [
        node('Clip', 'x', 'a', { min: { float: -1 }, max: { float: 1.5 } }),
        node('Clip', 'x', 'b', { max: { float: 0 } }),
        node('Clip', 'x', 'c'),
      ]
      await expectEqual({ nodes, inputs: x(7), outputs: ['a', 'b', 'c'] }, 10, { x: ramp([7], -3) }, [11, 13, 21])
    })

    it('Pad takes pads and value as inputs', async () => {
      const nodes = [
        node('Pad', 'x', 'a', { pads: [1, 0, 0, 2], value: { float: 2.5 } }),
        node('Pad', 'x', 'b', { pads: [0, 1, 0, 1], mode: 'reflect' }),
      ]
      await expectEqual({ nodes, inputs: x(2, 3), outputs: ['a', 'b'] }, 10, { x: ramp([2, 3]) }, [11, 18, 21])
    })

    it('TopK takes k as an input', async () => {
      const nodes = [node('TopK', 'x', 'v i', { k: 2, axis: 1 })]
      await expectEqual(
        { nodes, inputs: x(2, 4), outputs: ['v', 'i'] },
        9,
        { x: f32([2, 4], [3, 1, 4, 1, 5, 9, 2, 6]) },
        [10, 11, 21],
      )
    })

    it('Dropout takes its ratio as an input', async () => {
      const nodes = [node('Dropout', 'x', 'y', { ratio: { float: 0.25 } })]
      await expectEqual({ nodes, inputs: x(3), outputs: ['y'] }, 10, { x: ramp([3]) }, [12, 21])
      const withMask = [node('Dropout', 'x', 'y mask')]
      expect(reasonOf({ nodes: withMask, inputs: x(3), outputs: ['y', 'mask'] }, 10)).to.contain('its mask is read')
      expect(reasonOf({ nodes: withMask, inputs: x(3), outputs: ['y'] }, 10)).to.equal('raised')
    })

    it('DFT takes its axis as an input, whose default was 1', async () => {
      const nodes = [node('DFT', 'x', 'a'), node('DFT', 'x', 'b', { axis: 2 })]
      await expectEqual({ nodes, inputs: x(1, 4, 3, 1), outputs: ['a', 'b'] }, 17, { x: ramp([1, 4, 3, 1]) }, [20, 21])
    })

    it('Reshape takes its shape as an input', async () => {
      const parts = { nodes: [node('Reshape', 'x', 'y', { shape: [0, -1] })], inputs: x(2, 3, 1), outputs: ['y'] }
      expect(await valuesOf(parts, 1, { x: ramp([2, 3, 1]) })).to.deep.equal([0, 1, 2, 3, 4, 5])
    })

    it('Tile of one axis becomes Tile of all', async () => {
      const constants = { tiles: i64([], [2]), axis: i64([], [1]) }
      const parts = { nodes: [node('Tile', 'x tiles axis', 'y')], inputs: x(2, 2), outputs: ['y'], constants }
      expect(await valuesOf(parts, 1, { x: ramp([2, 2]) })).to.deep.equal([0, 1, 0, 1, 2, 3, 2, 3])
    })

    it('Pad calls its paddings pads', async () => {
      const parts = {
        nodes: [node('Pad', 'x', 'y', { paddings: [1, 0], value: { float: 7 } })],
        inputs: x(2),
        outputs: ['y'],
      }
      expect(await valuesOf(parts, 1, { x: ramp([2]) })).to.deep.equal([7, 0, 1])
    })
  })

  describe('Softmax and its kin', () => {
    for (const op of ['Softmax', 'LogSoftmax', 'Hardmax']) {
      it(`${op} over several axes at once keeps its meaning`, async () => {
        const nodes = [
          node(op, 'x', 'a'),
          node(op, 'x', 'b', { axis: 0 }),
          node(op, 'x', 'c', { axis: 2 }),
          node(op, 'x', 'd', { axis: -1 }),
        ]
        await expectEqual(
          { nodes, inputs: x(2, 3, 4), outputs: ['a', 'b', 'c', 'd'] },
          11,
          { x: ramp([2, 3, 4], -2, 0.17) },
          [13, 21],
        )
      })

      it(`${op} over several axes of unknown sizes keeps its meaning`, async () => {
        const parts = { nodes: [node(op, 'x', 'y')], inputs: x('n', 'c', 'h'), outputs: ['y'] }
        await expectEqual(parts, 11, { x: ramp([2, 3, 4], -2, 0.17) }, [13, 21])
        await expectEqual(parts, 11, { x: ramp([1, 5, 1], -2, 0.17) }, [13, 21])
      })
    }

    it('needs no reshaping where a single axis is larger than 1', () => {
      const raisedOps = (shape: number[]) =>
        opsOf(raised(model({ nodes: [node('Softmax', 'x', 'y')], inputs: x(...shape), outputs: ['y'] }, 9), 21))
      expect(raisedOps([2, 5])).to.equal('Softmax')
      expect(raisedOps([2, 5, 1, 1])).to.equal('Softmax')
      expect(raisedOps([2, 5, 2])).to.equal('Flatten Softmax Reshape')
    })

    it('refuses where the rank is not known', () => {
      const nodes = [node('Mystery', 'x', 'm', {}, 'some.domain'), node('Softmax', 'm', 'y')]
      expect(reasonOf({ nodes, inputs: x(2), outputs: ['y'] }, 9)).to.equal(
        'node n_y (Softmax) cannot be raised to opset 13: the rank of its operand is not known',
      )
    })
  })

  describe('resampling', () => {
    const scales = (...s: number[]) => ({ s: f32([s.length], s) })

    it('Upsample becomes Resize', async () => {
      for (const mode of ['nearest', 'linear']) {
        const parts = {
          nodes: [node('Upsample', 'x s', 'y', { mode })],
          inputs: x(1, 1, 3, 4),
          outputs: ['y'],
          constants: scales(1, 1, 2, 1.5),
        }
        await expectEqual(parts, 9, { x: ramp([1, 1, 3, 4]) }, [11, 13, 21])
      }
      const seven = {
        nodes: [node('Upsample', 'x', 'y', { scales: { floats: [1, 1, 2, 3] } })],
        inputs: x(1, 1, 2, 2),
        outputs: ['y'],
      }
      await expectEqual(seven, 7, { x: ramp([1, 1, 2, 2]) }, [9, 10, 11, 21])
    })

    it('Upsample of opset 1 scales height and width', async () => {
      const attributes = { height_scale: { float: 2 }, width_scale: { float: 1 } }
      const parts = { nodes: [node('Upsample', 'x', 'y', attributes)], inputs: x(1, 1, 2, 2), outputs: ['y'] }
      expect(await valuesOf(parts, 1, { x: ramp([1, 1, 2, 2]) })).to.deep.equal([0, 1, 0, 1, 2, 3, 2, 3])
    })

    for (const factors of [
      [1, 1, 2, 3],
      [1, 1, 0.6, 0.5],
      [1, 1, 0.4, 2.5],
      [1, 1, 1.7, 1],
    ])
      it(`Resize by ${factors} keeps its neighbours`, async () => {
        for (const mode of ['nearest', 'linear']) {
          const parts = {
            nodes: [node('Resize', 'x s', 'y', { mode })],
            inputs: x(1, 1, 5, 6),
            outputs: ['y'],
            constants: scales(...factors),
          }
          await expectEqual(parts, 10, { x: ramp([1, 1, 5, 6]) }, [11, 13, 18, 21])
        }
      })

    it('Resize by scales that are not constant is refused where neighbours depend on them', () => {
      const inputs = [...x(1, 1, 5, 6), value('s', 'float32', [4])]
      const parts = (mode: string) => ({ nodes: [node('Resize', 'x s', 'y', { mode })], inputs, outputs: ['y'] })
      expect(reasonOf(parts('nearest'), 10)).to.contain('its scales are not constant')
      expect(reasonOf(parts('linear'), 10)).to.equal('raised')
    })

    it('Resize leaves out operands that were empty', async () => {
      const constants = { roi: f32([0], []), s: f32([0], []), sizes: i64([4], [1, 1, 3, 8]) }
      const nodes = [
        node('Resize', 'x roi s sizes', 'y', { mode: 'linear', coordinate_transformation_mode: 'align_corners' }),
      ]
      const parts = { nodes, inputs: x(1, 1, 5, 6), outputs: ['y'], constants }
      await expectEqual(parts, 11, { x: ramp([1, 1, 5, 6]) }, [13, 21])
      const gone = {
        ...parts,
        nodes: [node('Resize', 'x roi s sizes', 'y', { coordinate_transformation_mode: 'tf_half_pixel_for_nn' })],
      }
      expect(reasonOf(gone, 11)).to.contain('tf_half_pixel_for_nn is gone')
    })

    it('RoiAlign keeps its coordinates', async () => {
      const constants = { rois: f32([1, 4], [0, 0, 3, 3]), batch: i64([1], [0]) }
      const nodes = [node('RoiAlign', 'x rois batch', 'y', { output_height: 2, output_width: 2, sampling_ratio: 2 })]
      await expectEqual(
        { nodes, inputs: x(1, 1, 4, 4), outputs: ['y'], constants },
        10,
        { x: ramp([1, 1, 4, 4]) },
        [16, 21],
      )
    })

    it('GridSample renames its modes', async () => {
      const inputs = [...x(1, 1, 3, 3), value('grid', 'float32', [1, 2, 2, 2])]
      const feeds = { x: ramp([1, 1, 3, 3]), grid: ramp([1, 2, 2, 2], -0.9, 0.23) }
      for (const mode of ['bilinear', 'bicubic', 'nearest'])
        await expectEqual(
          { nodes: [node('GridSample', 'x grid', 'y', { mode })], inputs, outputs: ['y'] },
          16,
          feeds,
          [20, 21],
        )
      await expectEqual({ nodes: [node('GridSample', 'x grid', 'y')], inputs, outputs: ['y'] }, 16, feeds, [20, 21])
    })

    it('LpPool has a whole p', async () => {
      const pool = (p: number) => ({
        nodes: [node('LpPool', 'x', 'y', { p: { float: p }, kernel_shape: [1, 2] })],
        inputs: x(1, 1, 1, 3),
        outputs: ['y'],
      })
      expect(await valuesOf(pool(1), 1, { x: ramp([1, 1, 1, 3], 1) })).to.deep.equal([3, 5])
      expect(reasonOf(pool(1.5), 1)).to.contain('its p is 1.5')
    })
  })

  describe('normalization', () => {
    const constants = { scale: ramp([2], 1), bias: ramp([2], -1), mean: ramp([2]), variance: ramp([2], 1) }
    const batchNorm = (outputs: string, attributes = {}) =>
      node('BatchNormalization', 'x scale bias mean variance', outputs, attributes)

    it('BatchNormalization is raised in inference and refused in training', async () => {
      const parts = { nodes: [batchNorm('y')], inputs: x(1, 2, 3), outputs: ['y'], constants }
      await expectEqual(parts, 7, { x: ramp([1, 2, 3]) }, [9, 14, 15, 21])
      await expectEqual(parts, 9, { x: ramp([1, 2, 3]) }, [14, 15, 21])
      const training = { ...parts, nodes: [batchNorm('y m v sm sv')] }
      expect(reasonOf(training, 9)).to.contain('it is in training mode')
      expect(reasonOf({ ...parts, nodes: [batchNorm('y', { spatial: 0 })] }, 7)).to.contain('spatial is 0')
      expect(reasonOf({ ...parts, nodes: [batchNorm('y')] }, 6)).to.contain('is_test is 0')
      expect(reasonOf({ ...parts, nodes: [batchNorm('y', { is_test: 1 })] }, 6)).to.equal('raised')
    })

    it('GroupNormalization spreads scale and bias over the channels', async () => {
      const nodes = [node('GroupNormalization', 'x scale bias', 'y', { num_groups: 2, epsilon: { float: 0 } })]
      const parts = {
        nodes,
        inputs: x(1, 4, 2),
        outputs: ['y'],
        constants: { scale: f32([2], [1, 10]), bias: f32([2], [0, 100]) },
      }
      const out = await run(writeModel(raised(model(parts, 18, 8), 21)), {
        x: f32([1, 4, 2], [1, -1, 1, -1, 1, -1, 1, -1]),
      })
      expect(Array.from(toNdArray(out.y!).data)).to.deep.equal([1, -1, 1, -1, 110, 90, 110, 90])
    })
  })

  describe('operators of the first opsets', () => {
    it('legacy attributes are dropped', async () => {
      const parts = { nodes: [node('Relu', 'x', 'y', { consumed_inputs: [0] })], inputs: x(3), outputs: ['y'] }
      expect(await valuesOf(parts, 1, { x: ramp([3], -1) })).to.deep.equal([0, 0, 1])
    })

    it('old broadcasting from an axis becomes broadcasting from the right', async () => {
      const constants = { b: f32([2], [10, 20]) }
      const parts = {
        nodes: [node('Add', 'x b', 'y', { broadcast: 1, axis: 0 })],
        inputs: x(2, 3),
        outputs: ['y'],
        constants,
      }
      expect(await valuesOf(parts, 6, { x: ramp([2, 3]) })).to.deep.equal([10, 11, 12, 23, 24, 25])
      const suffix = { ...parts, nodes: [node('Mul', 'x b', 'y', { broadcast: 1 })], inputs: x(3, 2) }
      expect(await valuesOf(suffix, 6, { x: ramp([3, 2]) })).to.deep.equal([0, 20, 20, 60, 40, 100])
      const negative = { ...parts, nodes: [node('Sub', 'x b', 'y', { broadcast: 1, axis: -2 })] }
      expect(await valuesOf(negative, 6, { x: ramp([2, 3]) })).to.deep.equal([-10, -9, -8, -17, -16, -15])
    })

    it('a slope of PRelu is per channel', async () => {
      const parts = {
        nodes: [node('PRelu', 'x s', 'y')],
        inputs: x(1, 2, 2),
        outputs: ['y'],
        constants: { s: f32([2], [2, 3]) },
      }
      expect(await valuesOf(parts, 6, { x: f32([1, 2, 2], [-1, 1, -1, 1]) })).to.deep.equal([-2, 1, -3, 1])
    })

    it('Selu keeps its first constants', async () => {
      const parts = { nodes: [node('Selu', 'x', 'y')], inputs: x(1), outputs: ['y'] }
      expect((await valuesOf(parts, 1, { x: f32([1], [2]) }))[0]).to.be.closeTo(2 * 1.0507, 1e-6)
    })

    it('Cast names its type by number', async () => {
      const parts = { nodes: [node('Cast', 'x', 'y', { to: 'INT32' })], inputs: x(2), outputs: ['y'] }
      expect(await valuesOf(parts, 1, { x: f32([2], [1.5, -2.5]) })).to.deep.equal([1, -2])
    })

    it('Concat without an axis joins axis 1', async () => {
      const parts = { nodes: [node('Concat', 'x x', 'y')], inputs: x(2, 1), outputs: ['y'] }
      expect(await valuesOf(parts, 1, { x: ramp([2, 1]) })).to.deep.equal([0, 0, 1, 1])
    })

    it('Split without an axis splits axis 0', async () => {
      const parts = { nodes: [node('Split', 'x', 'a b')], inputs: x(2, 2), outputs: ['b', 'a'] }
      expect(await valuesOf(parts, 1, { x: ramp([2, 2]) })).to.deep.equal([2, 3])
    })

    it('Gemm broadcasts its addend', async () => {
      const constants = { w: ramp([2, 2]), c: f32([2], [10, 20]) }
      const parts = {
        nodes: [node('Gemm', 'x w c', 'y', { broadcast: 1 })],
        inputs: x(1, 2),
        outputs: ['y'],
        constants,
      }
      expect(await valuesOf(parts, 6, { x: ramp([1, 2], 1) })).to.deep.equal([14, 27])
    })

    it('recurrent operators lose output_sequence, and GRU a misspelling', async () => {
      const constants = { w: ramp([1, 3, 1], 0.1, 0.1), r: ramp([1, 3, 1], 0.2, 0.1) }
      const gru = (attributes: Record<string, string | number>) => ({
        nodes: [node('GRU', 'x w r', 'y', { hidden_size: 1, ...attributes })],
        inputs: x(2, 1, 1),
        outputs: ['y'],
        constants,
      })
      const feeds = { x: ramp([2, 1, 1], 0.5) }
      const expected = await run(bytesOf(modelProto(gru({}), 14)), feeds)
      const old = raised(model(gru({ direction: 'foward', output_sequence: 1 }), 1, 3), 21)
      expect(await run(writeModel(old), feeds)).to.deep.equal(expected)
    })

    it('Scatter is called ScatterElements', async () => {
      const constants = { i: i64([1, 2], [1, 0]), u: f32([1, 2], [5, 6]) }
      const parts = { nodes: [node('Scatter', 'x i u', 'y')], inputs: x(2, 2), outputs: ['y'], constants }
      await expectEqual(parts, 9, { x: ramp([2, 2]) }, [11, 18, 21])
    })
  })

  describe('whole graphs', () => {
    it('subgraphs are raised with their node, values around them in sight', async () => {
      const branch = (nodes: ReturnType<typeof node>[], name: string) =>
        graphProto({ nodes, outputs: [value(name, 'float32', ['a', 'b'])] })
      const yes = branch(
        [
          node('Unsqueeze', 'd', 'u', { axes: [0] }),
          node('Squeeze', 'u', 'q', { axes: [0] }),
          node('Softmax', 'q', 't', { axis: 0 }),
        ],
        't',
      )
      const no = branch([node('Slice', 'd', 'e', { starts: [0], ends: [2], axes: [0] })], 'e')
      const nodes = [node('Add', 'x x', 'd'), node('If', 'c', 'y', { then_branch: yes, else_branch: no })]
      const inputs = [...x(2, 3), value('c', 'bool', [])]
      const parts = { nodes, inputs, outputs: ['y'] }
      for (const c of [0, 1]) await expectEqual(parts, 9, { x: ramp([2, 3]), c: tensor('bool', [], [c]) }, [13, 21])
      const inner = raised(model(parts, 9), 21).graph
      expect(inner.nodes[1]!.captures.map((v) => inner.values[v]!.name)).to.deep.equal(['d'])
    })

    it('what cannot be raised in a subgraph refuses the graph', () => {
      const body = graphProto({ nodes: [node('Clip', 'mystery', 'z', { min: { float: 0 } })], outputs: ['z'] })
      const nodes = [
        node('Mystery', 'x', 'mystery', {}, 'some.domain'),
        node('If', 'c', 'y', { then_branch: body, else_branch: body }),
      ]
      const parts = { nodes, inputs: [...x(2), value('c', 'bool', [])], outputs: ['y'] }
      expect(reasonOf(parts, 9)).to.equal(
        'node n_z (Clip) cannot be raised to opset 11: the element type of its operand is not known',
      )
    })

    it('new names avoid all others, also those inside subgraphs', () => {
      const inner = graphProto({ nodes: [node('Neg', 'x', 'n_y_axes_1')], outputs: ['n_y_axes_1'] })
      const nodes = [
        node('Squeeze', 'x', 'y', { axes: [0] }),
        node('Neg', 'y', 'n_y_axes'),
        node('If', 'c', 'z', { then_branch: inner, else_branch: inner }),
      ]
      const m = raised(
        model({ nodes, inputs: [...x(1, 2), value('c', 'bool', [])], outputs: ['n_y_axes', 'z'] }, 11),
        21,
      )
      expect(m.graph.values.map((v) => v.name)).to.include('n_y_axes_2')
    })

    it('an operator that ONNX does not have refuses the graph, one of another domain does not', () => {
      expect(reasonOf({ nodes: [node('FusedConv', 'x', 'y')], inputs: x(1), outputs: ['y'] }, 11)).to.equal(
        'node n_y (FusedConv): ONNX has no operator of that name',
      )
      expect(
        reasonOf({ nodes: [node('FusedConv', 'x', 'y', {}, 'some.domain')], inputs: x(1), outputs: ['y'] }, 11),
      ).to.equal('raised')
    })

    it('a graph that is there already is returned as it is', () => {
      const m = model({ nodes: [node('Relu', 'x', 'y')], inputs: x(1), outputs: ['y'] }, 21)
      const result = raiseOpset(m.graph, 20)
      expect(result.ok && result.graph).to.equal(m.graph)
      expect(raiseOpset(m.graph, 99).ok).to.equal(false)
    })

    it('the IR version follows the opset, and constants leave the list of inputs', () => {
      const inputs = [...x(2), value('w', 'float32', [2])]
      const m = model({ nodes: [node('Add', 'x w', 'y')], inputs, outputs: ['y'], constants: { w: ramp([2]) } }, 7, 3)
      const proto = fromBinary(ModelProtoSchema, writeModel(raised(m, 21)))
      expect(proto.irVersion).to.equal(10n)
      expect(proto.opsetImport.map((o) => o.version)).to.deep.equal([21n])
      expect(proto.graph!.input.map((v) => v.name)).to.deep.equal(['x'])
      expect(proto.graph!.initializer.map((v) => v.name)).to.deep.equal(['w'])
    })

    it('functions of the model follow where nothing in them changed its meaning', () => {
      const withFunction = (op: string) => {
        const proto = modelProto({ nodes: [node('Twice', 'x', 'y', {}, 'my')], inputs: x(2), outputs: ['y'] }, 17, 8)
        proto.functions = [
          create(FunctionProtoSchema, {
            name: 'Twice',
            domain: 'my',
            input: ['a'],
            output: ['b'],
            node: [node(op, 'a', 'b')],
            opsetImport: proto.opsetImport.slice(0, 1),
          }),
        ]
        return raiseModel(readModel(bytesOf(proto)), 21)
      }
      const followed = withFunction('Relu')
      if (!followed.ok) throw new Error(followed.reason)
      const written = fromBinary(ModelProtoSchema, writeModel(followed.model))
      expect(written.functions[0]!.opsetImport[0]!.version).to.equal(21n)
      const refused = withFunction('ReduceMean')
      expect(refused.ok ? '' : refused.reason).to.equal(
        'function Twice of the model uses ReduceMean, which changed between opset 17 and 21',
      )
    })
  })
})
