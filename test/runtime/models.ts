// Small models for the tests of the runtime, written to a folder of their own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create, toBinary } from '@bufbuild/protobuf'
import { createRandom } from '../../src/base/random.ts'
import { ints } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { namedDim } from '../../src/ir/dim.ts'
import type { DType } from '../../src/ir/dtype.ts'
import type { ValueId } from '../../src/ir/graph.ts'
import { tensor } from '../../src/ir/tensor.ts'
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
} from '../../src/onnx/generated/onnx_pb.ts'
import { modelOf, writeModelFile } from '../../src/onnx/index.ts'
import { tensorToProto } from '../../src/onnx/tensor.ts'
import { valueToProto } from '../../src/onnx/types.ts'
import type { Outcome } from '../../src/runtime/index.ts'

/** The value, or the reason as an error. */
export function unwrap<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(`${outcome.kind}: ${outcome.reason}`)
  return outcome.value
}

export class ModelFolder {
  readonly folder = mkdtempSync(join(tmpdir(), 'allotrope-test-'))
  private count = 0

  path(name: string): string {
    return join(this.folder, `${this.count++}-${name}`)
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Builds and writes; `build` declares the outputs. */
  write(name: string, build: (b: GraphBuilder) => void): string {
    const b = new GraphBuilder(name, new Map([['', 17]]))
    build(b)
    const path = this.path(`${name}.onnx`)
    writeModelFile(path, modelOf(b.build()))
    return path
  }

  bytes(name: string, bytes: Uint8Array): string {
    const path = this.path(name)
    writeFileSync(path, bytes)
    return path
  }

  /** x [n, 8] -> relu(x * w + b) * v -> y [n, 4]; softmax -> p */
  network(seed = 1): string {
    return this.write('network', (b) => {
      const weight = weights(b, seed)
      const x = b.input('x', 'float32', [namedDim('n'), 8])
      const h = b.node('Relu', [b.node('Add', [b.node('MatMul', [x, weight([8, 16])]), weight([16])])])
      const y = b.node('MatMul', [h, weight([16, 4])])
      b.output(b.node('Softmax', [y]), 'p')
      b.output(y, 'y')
    })
  }

  /** x [1, 3, 16, 16] -> convolution, ReLU, convolution, pooling -> y [1, 8, 1, 1] */
  convolutions(seed = 2): string {
    return this.write('convolutions', (b) => {
      const weight = weights(b, seed)
      const pads = { pads: ints([1, 1, 1, 1]) }
      const x = b.input('x', 'float32', [1, 3, 16, 16])
      const a = b.node('Relu', [b.node('Conv', [x, weight([16, 3, 3, 3]), weight([16])], pads)])
      b.output(b.node('GlobalAveragePool', [b.node('Conv', [a, weight([8, 16, 3, 3])], pads)]), 'y')
    })
  }

  /** x, of any dtype and shape [2, 3], unchanged -> y */
  identity(dtype: DType): string {
    return this.write('identity', (b) => b.output(b.node('Identity', [b.input('x', dtype, [2, 3])]), 'y'))
  }

  /** x [2, 2] + x -> y */
  double(): string {
    return this.write('double', (b) => {
      const x = b.input('x', 'float32', [2, 2])
      b.output(b.node('Add', [x, x]), 'y')
    })
  }

  /** x [6] in the shape that is fed, of rank 3 -> y, which the file declares to be a matrix. */
  misdeclared(): string {
    return this.write('misdeclared', (b) => {
      const y = b.node('Reshape', [b.input('x', 'float32', [6]), b.input('shape', 'int64', [namedDim('rank')])])
      b.declare(y, { dtype: 'float32', shape: [2, 3] })
      b.output(y, 'y')
    })
  }

  /** A matrix of 3000 x 3000, all x [1, 1], times itself: seconds for the reference interpreter. */
  slowProduct(): string {
    return this.write('slow', (b) => {
      const x = b.input('x', 'float32', [1, 1])
      const m = b.node('Expand', [x, b.int64s([3000, 3000])])
      b.output(b.node('MatMul', [m, m]), 'y')
    })
  }

  /** x [1, 1] expanded to 10 GB, then reduced -> y [1, 1] */
  hungry(): string {
    return this.write('hungry', (b) => {
      const x = b.input('x', 'float32', [1, 1])
      const m = b.node('Expand', [x, b.int64s([50_000, 50_000])])
      b.output(b.node('ReduceMax', [b.node('Relu', [m])]), 'y')
    })
  }

  /** x [1] counted up 2^62 times -> y [1]: does not end. */
  endless(): string {
    const value = (name: string, dtype: DType, shape: number[]) => valueToProto({ name, type: { dtype, shape } })
    const node = (opType: string, input: string[], output: string[]) =>
      create(NodeProtoSchema, { opType, input, output })
    const body = create(GraphProtoSchema, {
      name: 'body',
      node: [node('Identity', ['go'], ['goOn']), node('Add', ['v', 'v'], ['next'])],
      input: [value('i', 'int64', []), value('go', 'bool', []), value('v', 'float32', [1])],
      output: [value('goOn', 'bool', []), value('next', 'float32', [1])],
    })
    const loop = node('Loop', ['trips', 'yes', 'x'], ['y'])
    loop.attribute = [create(AttributeProtoSchema, { name: 'body', type: AttributeProto_AttributeType.GRAPH, g: body })]
    const trips = tensorToProto(
      { dtype: 'int64', shape: [], bytes: new Uint8Array(BigInt64Array.of(2n ** 62n).buffer) },
      'trips',
    )
    const graph = create(GraphProtoSchema, {
      name: 'endless',
      node: [loop],
      initializer: [trips, tensorToProto(tensor('bool', [], [1]), 'yes')],
      input: [value('x', 'float32', [1])],
      output: [value('y', 'float32', [1])],
    })
    const opsetImport = [create(OperatorSetIdProtoSchema, { version: 17n })]
    return this.bytes(
      'endless.onnx',
      toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n, opsetImport, graph })),
    )
  }
}

export function weights(b: GraphBuilder, seed: number): (shape: readonly number[]) => ValueId {
  const random = createRandom(seed)
  return (shape) => b.constant(normal(shape, random))
}

export function normal(shape: readonly number[], random = createRandom(5)) {
  const count = shape.reduce((n, d) => n * d, 1)
  return tensor('float32', shape, Array.from({ length: count }, random.normal))
}
