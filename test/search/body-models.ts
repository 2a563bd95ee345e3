// Models with control flow, for tests of what becomes of the bodies.
import type { GraphProto } from '../../src/onnx/generated/onnx_pb.ts'
import { f32, type GraphParts, graphProto, i64, model, node, value } from '../onnx/protos.ts'

const waves = (shape: readonly number[], step: number) =>
  f32(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * step) / 8),
  )

/** Rows and columns of the product in each iteration. */
export const ROWS = 96
export const COLUMNS = 64
const TRIPS = 12

/** state + mean over rows of (x * going) @ w: one row would be enough. `x` and `w` are of outside, named by the caller. */
export function meanOfProduct(x: string, w: string, more: Partial<GraphParts> = {}): GraphProto {
  return graphProto({
    nodes: [
      node('Add', `${x} state`, 'shifted'),
      node('MatMul', `shifted ${w}`, 'product'),
      node('ReduceMean', 'product rows', 'mean', { keepdims: 1 }),
      node('Tanh', 'mean', 'next'),
      node('Identity', 'going', 'still'),
      ...(more.nodes ?? []),
    ],
    inputs: [value('i', 'int64', []), value('going', 'bool', []), value('state', 'float32', [1, COLUMNS])],
    outputs: ['still', 'next', ...(more.outputs ?? [])],
    constants: { rows: i64([1], [0]), ...more.constants },
  })
}

export const outerConstants = { trips: i64([], [TRIPS]), w: waves([COLUMNS, COLUMNS], 0.7) }
const inputs = [value('x', 'float32', [ROWS, COLUMNS]), value('s', 'float32', [1, COLUMNS])]

/** A Loop in every iteration of which a product of many rows is averaged: x is made and w is a constant around it. */
export const loopModel = () =>
  model({
    nodes: [node('Relu', 'x', 'h'), node('Loop', 'trips _ s', 'y', { body: meanOfProduct('h', 'w') })],
    inputs,
    outputs: ['y'],
    constants: outerConstants,
  })
