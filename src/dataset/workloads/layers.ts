// Layers that several families share: attention, transformer blocks, and activations and norms spelled out in primitive
// operators, in the ways in which exporters really write them.
import { int } from '../../ir/attribute.ts'
import type { ValueId } from '../../ir/graph.ts'
import { tensor } from '../../ir/tensor.ts'
import type { Net } from './net.ts'

/** Rows [b, n, w] to heads [b, h, n, w / h]. */
export function splitHeads(net: Net, x: ValueId, heads: number): ValueId {
  const [batch, rows, width] = net.shape(x)
  return net.transpose(net.reshape(x, [batch!, rows!, heads, width! / heads]), [0, 2, 1, 3])
}

/** Heads [b, h, n, d] to rows [b, n, h d]. */
export function joinHeads(net: Net, x: ValueId): ValueId {
  const [batch, heads, rows, depth] = net.shape(x)
  return net.reshape(net.transpose(x, [0, 2, 1, 3]), [batch!, rows!, heads! * depth!])
}

/** softmax(q k' / sqrt d) v on heads. */
export function attend(net: Net, q: ValueId, k: ValueId, v: ValueId): ValueId {
  const depth = net.shape(q).at(-1)!
  const scores = net.mul(net.matmul(q, net.transpose(k, [0, 1, 3, 2])), net.scalar(1 / Math.sqrt(depth)))
  return net.matmul(net.softmax(scores), v)
}

/** Rows attend to all rows of `x`; `from`: those that do. */
export function selfAttention(net: Net, x: ValueId, heads: number, from = x): ValueId {
  const width = net.shape(x).at(-1)!
  const [q, k, v] = [from, x, x].map((y) => splitHeads(net, net.linear(y, width), heads))
  return net.linear(joinHeads(net, attend(net, q!, k!, v!)), width)
}

export type Activation = (net: Net, x: ValueId) => ValueId

/** BERT's block: norms after the residual sums. `from`: the rows of `x` that are wanted. */
export function postNormBlock(
  net: Net,
  x: ValueId,
  heads: number,
  inner: number,
  activation: Activation = (n, y) => n.gelu(y),
  from = x,
): ValueId {
  const attended = net.layerNorm(net.add(from, selfAttention(net, x, heads, from)))
  const width = net.shape(x).at(-1)!
  const hidden = net.linear(activation(net, net.linear(attended, inner)), width)
  return net.layerNorm(net.add(attended, hidden))
}

/** The block of vision transformers: norms before attention and feed-forward. `rows` picks the rows that are wanted. */
export function preNormBlock(
  net: Net,
  x: ValueId,
  heads: number,
  inner: number,
  rows: (y: ValueId) => ValueId = (y) => y,
): ValueId {
  const width = net.shape(x).at(-1)!
  const normed = net.layerNorm(x)
  const attended = net.add(rows(x), selfAttention(net, normed, heads, rows(normed)))
  const hidden = geluTorchScript(net, net.linear(net.layerNorm(attended), inner))
  return net.add(attended, net.linear(hidden, width))
}

/** GPT's block: norms before attention and feed-forward, each row attending to itself and what came before. */
export function causalBlock(net: Net, x: ValueId, heads: number, inner: number): ValueId {
  const [, rows, width] = net.shape(x)
  const normed = net.layerNorm(x)
  const [q, k, v] = [0, 1, 2].map(() => splitHeads(net, net.linear(normed, width!), heads))
  const scale = net.scalar(Math.sqrt(heads / width!))
  const scores = net.add(net.mul(net.matmul(q!, net.transpose(k!, [0, 1, 3, 2])), scale), causalMask(net, rows!))
  const attended = net.add(x, net.linear(joinHeads(net, net.matmul(net.softmax(scores), v!)), width!))
  return net.add(attended, net.linear(geluTanh(net, net.linear(net.layerNorm(attended), inner)), width!))
}

/** 0 on and below the diagonal, -1e4 above. */
function causalMask(net: Net, rows: number): ValueId {
  const values = Array.from({ length: rows * rows }, (_, i) => (i % rows > Math.floor(i / rows) ? -1e4 : 0))
  return net.builder.constant(tensor('float32', [rows, rows], values), 'mask')
}

/** x * clip(x + 3, 0, 6) / 6, as PaddleOCR and old PyTorch export HardSwish. */
export function hardSwishSpelled(net: Net, x: ValueId): ValueId {
  return net.op('Div', net.mul(x, clip06(net, net.add(x, net.scalar(3)))), net.scalar(6))
}

export function hardSigmoidSpelled(net: Net, x: ValueId): ValueId {
  return net.op('Div', clip06(net, net.add(x, net.scalar(3))), net.scalar(6))
}

function clip06(net: Net, x: ValueId): ValueId {
  return net.op('Clip', x, net.scalar(0), net.scalar(6))
}

/** x * (0.5 * (erf(x / sqrt 2) + 1)): PyTorch's dynamo exporter below opset 20. */
export function geluDynamo(net: Net, x: ValueId): ValueId {
  const erf = net.op('Erf', net.mul(x, net.scalar(Math.SQRT1_2)))
  return net.mul(x, net.mul(net.scalar(0.5), net.add(erf, net.scalar(1))))
}

/** (x * (erf(x / sqrt 2) + 1)) * 0.5: PyTorch's TorchScript exporter. */
export function geluTorchScript(net: Net, x: ValueId): ValueId {
  const erf = net.op('Erf', net.op('Div', x, net.scalar(Math.SQRT2)))
  return net.mul(net.mul(x, net.add(erf, net.scalar(1))), net.scalar(0.5))
}

/** 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))): GPT-2. */
export function geluTanh(net: Net, x: ValueId): ValueId {
  const cubed = net.op('Pow', x, net.scalar(3))
  const inner = net.mul(net.add(x, net.mul(cubed, net.scalar(0.044715))), net.scalar(Math.sqrt(2 / Math.PI)))
  return net.mul(net.mul(x, net.scalar(0.5)), net.add(net.tanh(inner), net.scalar(1)))
}

export function swishSpelled(net: Net, x: ValueId): ValueId {
  return net.mul(x, net.sigmoid(x))
}

/** x * tanh(log(1 + e^x)). */
export function mishSpelled(net: Net, x: ValueId): ValueId {
  const softplus = net.op('Log', net.add(net.op('Exp', x), net.scalar(1)))
  return net.mul(x, net.tanh(softplus))
}

/** relu(x) - slope * relu(-x), per channel of an image batch. */
export function preluSpelled(net: Net, x: ValueId): ValueId {
  const slope = net.uniform([net.shape(x)[1]!, 1, 1], 0.05, 0.3)
  return net.op('Sub', net.relu(x), net.mul(slope, net.relu(net.op('Neg', x))))
}

/** (x - mean) / sqrt(var + eps) * gain + shift over the last axis: nine nodes. */
export function layerNormSpelled(net: Net, x: ValueId): ValueId {
  const width = net.shape(x).at(-1)!
  const centred = net.op('Sub', x, net.reduce('ReduceMean', x, -1, true))
  const variance = net.reduce('ReduceMean', net.op('Pow', centred, net.scalar(2)), -1, true)
  const normed = net.op('Div', centred, net.op('Sqrt', net.add(variance, net.scalar(1e-5))))
  return net.add(net.mul(normed, net.uniform([width], 0.8, 1.2)), net.uniform([width], -0.1, 0.1))
}

/** x * rsqrt(mean(x^2) + eps) * gain over the last axis, as LLaMA-like models export. */
export function rmsNormSpelled(net: Net, x: ValueId): ValueId {
  const meanSquare = net.reduce('ReduceMean', net.op('Pow', x, net.scalar(2)), -1, true)
  const inverse = net.op('Reciprocal', net.op('Sqrt', net.add(meanSquare, net.scalar(1e-6))))
  return net.mul(net.uniform([net.shape(x).at(-1)!], 0.8, 1.2), net.mul(x, inverse))
}

/** (x - mean) * gain / sqrt(var + eps) + shift per channel, as separate constant operands. */
export function batchNormSpelled(net: Net, x: ValueId): ValueId {
  const perChannel = (low: number, high: number) => net.uniform([net.shape(x)[1]!, 1, 1], low, high)
  const centred = net.op('Sub', x, perChannel(-0.1, 0.1))
  const deviation = net.op('Sqrt', net.add(perChannel(0.8, 1.2), net.scalar(1e-5)))
  return net.add(net.mul(net.op('Div', centred, deviation), perChannel(0.8, 1.2)), perChannel(-0.1, 0.1))
}

/** Squeeze and excitation: the input scaled by a gate per channel. */
export function squeezeExcite(net: Net, x: ValueId, inner: number, gate: Activation): ValueId {
  const channels = net.shape(x)[1]!
  const squeezed = net.convRelu(net.op('GlobalAveragePool', x), inner, 1)
  return net.mul(x, gate(net, net.conv(squeezed, channels, 1)))
}

/** Global average pool, flatten, linear: the head of an image classifier. */
export function classifierHead(net: Net, x: ValueId, classes: number): ValueId {
  const flat = net.node('Flatten', [net.op('GlobalAveragePool', x)], { axis: int(1) })
  return net.linear(flat, classes)
}
