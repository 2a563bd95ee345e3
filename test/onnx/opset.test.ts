import { create, fromBinary } from '@bufbuild/protobuf'
import { expect } from 'chai'
import { UnsupportedError } from '../../src/base/errors.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { FunctionProtoSchema, ModelProtoSchema } from '../../src/onnx/generated/onnx_pb.ts'
import { modelOf, raiseModel, raiseOpset, readModel, writeModel } from '../../src/onnx/index.ts'
import { bytesOf, graphProto, model, modelProto, node, ramp, value } from './protos.ts'
import { expectEqual, raised, reasonOf, x } from './raising.ts'

describe('onnx: raising opsets', () => {
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

    it('a branch that makes no sense for these inputs is raised all the same: it never runs', async () => {
      const branch = (...nodes: ReturnType<typeof node>[]) => graphProto({ nodes, outputs: ['t'] })
      const dead = branch(node('Slice', 'x', 's', { starts: [0], ends: [1], axes: [3] }), node('Neg', 's', 't'))
      const alive = branch(node('Unsqueeze', 'x', 'u', { axes: [0] }), node('Neg', 'u', 't'))
      const nodes = [node('If', 'c', 'y', { then_branch: dead, else_branch: alive })]
      const parts = { nodes, inputs: [...x(2, 3), value('c', 'bool', [])], outputs: ['y'] }
      expect(reasonOf(parts, 9)).to.equal('raised')
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
        return readModel(bytesOf(proto))
      }
      const followed = raiseModel(withFunction('Relu'), 21)
      if (!followed.ok) throw new Error(followed.reason)
      const written = fromBinary(ModelProtoSchema, writeModel(followed.model))
      expect(written.functions[0]!.opsetImport[0]!.version).to.equal(21n)
      const unraised = withFunction('ReduceMean')
      const refused = raiseModel(unraised, 21)
      expect(refused.ok ? '' : refused.reason).to.equal(
        'function Twice of the model uses ReduceMean, which changed between opset 17 and 21',
      )
      const alone = raiseOpset(unraised.graph, 21)
      if (!alone.ok) throw new Error(alone.reason)
      expect(() => writeModel(modelOf(alone.graph, unraised))).to.throw(
        UnsupportedError,
        'function Twice of the model uses ReduceMean',
      )
    })
  })
})
