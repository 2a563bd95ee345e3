import { expect } from 'chai'
import { writeModel } from '../../src/onnx/index.ts'
import { bytesOf, f32, i64, model, modelProto, node, ramp } from './protos.ts'
import { expectEqual, raised, reasonOf, valuesOf, x } from './raising.ts'
import { run } from './runtime.ts'

describe('onnx: raising opsets: attributes', () => {
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
})
