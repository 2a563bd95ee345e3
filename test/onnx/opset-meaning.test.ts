import { expect } from 'chai'
import { toNdArray } from '../../src/ir/tensor.ts'
import { writeModel } from '../../src/onnx/index.ts'
import { f32, i64, model, node, ramp, value } from './protos.ts'
import { expectEqual, opsOf, raised, reasonOf, valuesOf, x } from './raising.ts'
import { run } from './runtime.ts'

describe('onnx: raising opsets: meaning', () => {
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
})
