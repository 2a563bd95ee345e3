// Names, order and scopes: what subgraphs see, and what is refused.
import { create } from '@bufbuild/protobuf'
import { expect } from 'chai'
import { InvariantError, UserError } from '../../src/base/errors.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { type GraphProto, ModelProtoSchema } from '../../src/onnx/generated/onnx_pb.ts'
import { modelOf, readModel, writeModel } from '../../src/onnx/index.ts'
import { encode } from '../../src/onnx/proto.ts'
import { attribute, bytesOf, type GraphParts, graphProto, model, modelProto, node, ramp, value } from './protos.ts'

const x = value('x', 'float32', [2])
const c = value('c', 'bool', [])
const read = (parts: GraphParts) => model(parts)
const names = (g: Graph, ids: readonly (number | null)[]) => ids.map((v) => (v === null ? '' : g.values[v]!.name))
const refused = (parts: GraphParts, message: string) => expect(() => read(parts)).to.throw(UserError, message)
const choose = (then: GraphProto, output = 'y') => node('If', 'c', output, { then_branch: then, else_branch: then })

describe('onnx: names and scopes', () => {
  it('subgraphs at any depth capture the outer values that they read, and only those', () => {
    const deep = graphProto({ nodes: [node('Add', 'a own', 'deepest')], outputs: ['deepest'] })
    const middle = graphProto({
      nodes: [node('Neg', 'b', 'own'), node('If', 'c', 'm', { then_branch: deep, else_branch: deep })],
      outputs: ['m'],
    })
    const { graph } = read({
      nodes: [node('Neg', 'x', 'a'), node('Neg', 'x', 'b'), choose(middle)],
      inputs: [x, c],
      outputs: ['y'],
    })
    expect(names(graph, graph.nodes[2]!.captures).sort()).to.deep.equal(['a', 'b', 'c'])
  })

  it('inputs and constants of a subgraph are its own', () => {
    const body = graphProto({
      nodes: [node('Add', 'state w', 'next'), node('Identity', 'going', 'still')],
      inputs: [value('i', 'int64', []), value('going', 'bool', []), value('state', 'float32', [2])],
      outputs: ['still', 'next'],
      constants: { w: ramp([2]) },
    })
    const { graph } = read({ nodes: [node('Loop', '_ c x', 'y', { body })], inputs: [x, c], outputs: ['y'] })
    expect(graph.nodes[0]!.captures).to.deep.equal([])
  })

  it('an outer value that a subgraph returns is captured', () => {
    const { graph } = read({
      nodes: [node('Neg', 'x', 'a'), choose(graphProto({ nodes: [], outputs: ['a'] }))],
      inputs: [x, c],
      outputs: ['y'],
    })
    expect(names(graph, graph.nodes[1]!.captures)).to.deep.equal(['a'])
  })

  it('nodes out of order are put in order, also when only a subgraph reads', () => {
    const inner = graphProto({ nodes: [node('Neg', 'late', 'z')], outputs: ['z'] })
    const { graph } = read({
      nodes: [node('Neg', 'b', 'y2'), choose(inner), node('Neg', 'x', 'late'), node('Neg', 'late', 'b')],
      inputs: [x, c],
      outputs: ['y', 'y2'],
    })
    const made = new Set(names(graph, graph.inputs))
    for (const n of graph.nodes) {
      for (const name of names(graph, [...n.inputs, ...n.captures])) expect(made.has(name), name).to.equal(true)
      for (const name of names(graph, n.outputs)) made.add(name)
    }
  })

  it('nodes in order stay in their order', () => {
    const nodes = ['c', 'a', 'b'].map((name) => node('Neg', 'x', name))
    const { graph } = read({ nodes, inputs: [x], outputs: ['a'] })
    expect(graph.nodes.map((n) => names(graph, n.outputs)[0])).to.deep.equal(['c', 'a', 'b'])
  })

  it('ai.onnx is the domain of ONNX', () => {
    const proto = modelProto({ nodes: [node('Neg', 'x', 'y', {}, 'ai.onnx')], inputs: [x], outputs: ['y'] })
    proto.opsetImport[0]!.domain = 'ai.onnx'
    const { graph } = readModel(bytesOf(proto))
    expect(graph.nodes[0]!.domain).to.equal('')
    expect(graph.opsets.get('')).to.equal(20)
  })

  describe('are refused with the node and the value', () => {
    it('a cycle', () => {
      refused(
        { nodes: [node('Add', 'x b', 'a'), node('Neg', 'a', 'b')], inputs: [x], outputs: ['b'] },
        'a cycle among node n_a (Add), node n_b (Neg)',
      )
    })
    it('a value that nobody makes', () => {
      refused(
        { nodes: [node('Add', 'x ghost', 'y')], inputs: [x], outputs: ['y'] },
        'model, node n_y (Add): expected a value called ghost',
      )
    })
    it('a value that nobody makes, read by a subgraph', () => {
      const inner = graphProto({ nodes: [node('Neg', 'ghost', 'z')], outputs: ['z'] })
      refused(
        { nodes: [choose(inner)], inputs: [x, c], outputs: ['y'] },
        'a subgraph of node n_y (If): expected a value called ghost',
      )
    })
    it('an output that nobody makes', () => {
      refused(
        { nodes: [node('Neg', 'x', 'y')], inputs: [x], outputs: ['z'] },
        'the list of outputs: expected a value called z',
      )
    })
    it('a value made twice, by nodes, inputs or constants', () => {
      refused(
        { nodes: [node('Neg', 'x', 'y'), node('Abs', 'x', 'y')], inputs: [x], outputs: ['y'] },
        'node n_y (Abs): expected every value to be made once, got y made twice',
      )
      refused({ nodes: [node('Neg', 'x', 'x')], inputs: [x], outputs: ['x'] }, 'x')
      refused(
        { nodes: [node('Neg', 'x', 'w')], inputs: [x], outputs: ['w'], constants: { w: ramp([2]) } },
        'w made twice',
      )
      refused({ nodes: [node('Neg', 'x', 'y')], inputs: [x, x], outputs: ['y'] }, 'x twice')
    })
    it('a default value given twice', () => {
      const proto = modelProto({
        nodes: [node('Neg', 'x', 'y')],
        inputs: [x],
        outputs: ['y'],
        constants: { x: ramp([2]) },
      })
      proto.graph!.initializer.push(proto.graph!.initializer[0]!)
      expect(() => readModel(bytesOf(proto))).to.throw(UserError, 'x made twice')
    })
    it('an input or constant without a name', () => {
      refused({ nodes: [], inputs: [value('', 'float32', [])], outputs: [] }, 'a name for every value')
    })
    it('an attribute given twice', () => {
      const n = node('Softmax', 'x', 'y', { axis: 0 })
      n.attribute.push(attribute('axis', 1))
      refused({ nodes: [n], inputs: [x], outputs: ['y'] }, 'attributes of different names')
    })
    it('a model without a graph, and two versions of a domain', () => {
      expect(() => readModel(encode(ModelProtoSchema, create(ModelProtoSchema)))).to.throw(
        UserError,
        'a model with a graph',
      )
      const proto = modelProto({ nodes: [], outputs: [] })
      proto.opsetImport.push({ ...proto.opsetImport[0]!, domain: 'ai.onnx', version: 3n })
      expect(() => readModel(bytesOf(proto))).to.throw(UserError, 'one version of each domain')
    })
    it('a version that is none', () => {
      for (const version of [0n, -1n, 2n ** 40n]) {
        const proto = modelProto({ nodes: [], outputs: [] })
        proto.opsetImport[0]!.version = version
        expect(() => readModel(bytesOf(proto))).to.throw(UserError, 'a version of domain')
      }
    })
    it('subgraphs nested too deeply', () => {
      let inner = graphProto({ nodes: [node('Neg', 'x', 'z')], outputs: ['z'] })
      for (let depth = 0; depth < 60; depth++)
        inner = graphProto({ nodes: [node('Loop', '', `z${depth}`, { body: inner })], outputs: [`z${depth}`] })
      const proto = modelProto({ nodes: [choose(inner)], inputs: [x, c], outputs: ['y'] })
      expect(() => readModel(bytesOf(proto))).to.throw(UserError, 'recursion depth of 100')
    })
  })

  it('a graph whose subgraphs lost a value is never written', () => {
    const m = read({
      nodes: [node('Neg', 'x', 'a'), choose(graphProto({ nodes: [node('Neg', 'a', 'z')], outputs: ['z'] }))],
      inputs: [x, c],
      outputs: ['y'],
    })
    const broken = { ...m.graph, nodes: m.graph.nodes.slice(1) }
    expect(() => writeModel(modelOf(broken, m))).to.throw(InvariantError, 'reads a')
  })
})
