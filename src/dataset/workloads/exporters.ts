// What exporters write where a runtime has one fused operator: activations and norms spelled out, scalars left around
// convolutions, and weights that no one flushed. Opset 13 or 17, as deployed files have it.
import type { ValueId } from '../../ir/graph.ts'
import { tensor } from '../../ir/tensor.ts'
import * as spelled from './layers.ts'
import type { Net } from './net.ts'
import { type Workload, workload } from './workload.ts'

const imageDims = { small: { channels: 16, size: 32 }, full: { channels: 64, size: 80 } }

/** conv, activation, conv, activation on images. */
function inConvNet(name: string, law: string, activation: spelled.Activation, opset = 13): Workload {
  return workload({
    name,
    family: 'spelled-activation',
    suite: 'exporters',
    expected: `${law} recognised as one operator, at an opset that has it`,
    sizes: imageDims,
    opset,
    build(net, { channels, size }) {
      let x = net.input('x', 1, channels, size, size)
      for (const kernel of [1, 3]) x = activation(net, net.conv(x, channels, kernel))
      net.output(x)
    },
  })
}

/** Activations that a runtime computes element by element, where their pieces are vectorised. */
function slowKernel(name: string, law: string, activation: spelled.Activation): Workload {
  return { ...inConvNet(name, '', activation, 18), family: 'slow-activation', expected: `${law}, which is vectorised` }
}

/** linear, activation, linear on rows. */
function inMlp(name: string, law: string, activation: spelled.Activation, opset = 17): Workload {
  return workload({
    name,
    family: 'spelled-activation',
    suite: 'exporters',
    expected: `${law} recognised as one operator, or reassociated into the form that the runtime fuses`,
    sizes: { small: { rows: 32, width: 64 }, full: { rows: 256, width: 256 } },
    opset,
    build(net, { rows, width }) {
      const hidden = activation(net, net.linear(net.input('x', 1, rows, width), 4 * width))
      net.output(net.linear(hidden, width))
    },
  })
}

/** norm, linear, norm, linear on rows. */
function normStack(name: string, law: string, norm: spelled.Activation): Workload {
  return workload({
    name,
    family: 'spelled-norm',
    suite: 'exporters',
    expected: `${law} recognised as one operator; its gain folds into the next weight`,
    sizes: { small: { rows: 32, width: 64 }, full: { rows: 512, width: 384 } },
    opset: 17,
    build(net, { rows, width }) {
      let x = net.input('x', 1, rows, width)
      for (let i = 0; i < 2; i++) x = net.add(x, net.linear(norm(net, x), width))
      net.output(norm(net, x))
    },
  })
}

export const spelledActivations = [
  inConvNet('hard-swish-spelled', 'x * clip(x + 3, 0, 6) / 6', spelled.hardSwishSpelled),
  inConvNet('hard-sigmoid-gate-spelled', 'clip(x + 3, 0, 6) / 6', (net, x) =>
    spelled.squeezeExcite(net, x, net.shape(x)[1]! / 4, spelled.hardSigmoidSpelled),
  ),
  inConvNet('swish-spelled', 'x * sigmoid(x)', spelled.swishSpelled),
  inConvNet('mish-spelled', 'x * tanh(log(1 + e^x))', spelled.mishSpelled),
  inConvNet('prelu-spelled', 'relu(x) - a relu(-x)', spelled.preluSpelled),
  inMlp('gelu-dynamo', 'x * (0.5 * (erf(x / sqrt 2) + 1))', spelled.geluDynamo, 18),
  inMlp('gelu-torchscript', '(x * (erf(x / sqrt 2) + 1)) * 0.5', spelled.geluTorchScript),
  inMlp('gelu-tanh', 'the tanh form of Gelu', spelled.geluTanh),
  normStack('layer-norm-spelled', 'LayerNorm', spelled.layerNormSpelled),
  normStack('rms-norm-spelled', 'RMSNorm', spelled.rmsNormSpelled),
]

export const slowActivations = [
  slowKernel('mish', 'Mish by one exponential, x m / (m + 2)', (net, x) => net.op('Mish', x)),
  slowKernel('softplus', 'Softplus as max(x, 0) + log(1 + e^-|x|)', (net, x) => net.op('Softplus', x)),
  slowKernel('prelu-channels', 'PRelu as max(x, s x)', (net, x) =>
    net.op('PRelu', x, net.uniform([net.shape(x)[1]!, 1, 1], 0.05, 0.3)),
  ),
  slowKernel('prelu-one', 'PRelu of one slope as LeakyRelu, in the convolution', (net, x) =>
    net.op('PRelu', x, net.scalar(0.25, 1)),
  ),
]

/** Scalar Mul and Add with constants of shape [1], which runtimes do not fold into the convolution. */
function affine(net: Net, x: ValueId, scale: number, shift: number): ValueId {
  return net.add(net.mul(x, net.scalar(scale, 1)), net.scalar(shift, 1))
}

export const leftovers = [
  workload({
    name: 'batch-norm-spelled',
    family: 'affine-around-conv',
    suite: 'exporters',
    expected: 'the per-channel arithmetic folds into the convolution',
    sizes: imageDims,
    opset: 13,
    build(net, { channels, size }) {
      let x = net.input('x', 1, channels, size, size)
      for (let i = 0; i < 2; i++) x = net.relu(spelled.batchNormSpelled(net, net.conv(x, channels, 3, { bias: false })))
      net.output(x)
    },
  }),
  workload({
    name: 'affine-after-activation',
    family: 'affine-around-conv',
    suite: 'exporters',
    expected: 'as in PP-OCRv4: maps fold back into a convolution, forward into the next 1x1, or become a 1x1 depthwise',
    sizes: imageDims,
    opset: 14,
    build(net, { channels, size }) {
      let x = net.input('x', 1, channels, size, size)
      for (const kernel of [1, 3, 1]) {
        const y = affine(net, net.conv(x, channels, kernel), 0.9, 0.1)
        x = affine(net, spelled.hardSwishSpelled(net, y), 1.3, -0.05)
      }
      net.output(x)
    },
  }),
  workload({
    name: 'batch-norm-before-conv',
    family: 'affine-around-conv',
    suite: 'exporters',
    expected: 'pre-activation networks: the scale folds forward, the shift only without padding',
    sizes: imageDims,
    opset: 13,
    build(net, { channels, size }) {
      const normed = net.batchNorm(net.input('x', 1, channels, size, size))
      const point = net.conv(normed, channels, 1)
      net.output(net.conv(net.batchNorm(net.pool('MaxPool', net.relu(point), 2)), channels, 3))
    },
  }),
  workload({
    name: 'subnormal-weights',
    family: 'subnormal-weights',
    suite: 'exporters',
    expected:
      'subnormal weights are flushed to zero: a change below 1e-38, several times faster where the hardware traps',
    sizes: { small: { channels: 16, size: 16 }, full: { channels: 48, size: 32 } },
    build(net, { channels, size }) {
      const x = net.input('x', 1, channels, size, size)
      const tiny = mostlySubnormal(net, [channels, channels, 3, 3])
      const pads = { pads: { kind: 'ints', value: [1, 1, 1, 1] } } as const
      net.output(net.conv(net.relu(net.node('Conv', [x, tiny], pads)), channels, 1))
    },
  }),
  workload({
    name: 'dead-channels',
    family: 'dead-channels',
    suite: 'exporters',
    expected: 'zero output channels and what only they feed are pruned',
    sizes: { small: { channels: 16, inner: 32, size: 24 }, full: { channels: 48, inner: 128, size: 48 } },
    build(net, { channels, inner, size }) {
      const x = net.input('x', 1, channels, size, size)
      const weight = halfZero(net, [inner, channels, 3, 3])
      const pads = { pads: { kind: 'ints', value: [1, 1, 1, 1] } } as const
      net.output(net.conv(net.relu(net.node('Conv', [x, weight], pads)), channels, 1))
    },
  }),
]

/** Three in four weights below the smallest normal float32. */
function mostlySubnormal(net: Net, shape: readonly [number, number, number, number]): ValueId {
  return fill(net, shape, (i, random) => (i % 4 === 0 ? random : random * 1e-39))
}

/** Every second output channel is zero. */
function halfZero(net: Net, shape: readonly [number, number, number, number]): ValueId {
  const perChannel = shape[1] * shape[2] * shape[3]
  return fill(net, shape, (i, random) => (Math.floor(i / perChannel) % 2 === 0 ? random : 0))
}

function fill(
  net: Net,
  shape: readonly [number, number, number, number],
  value: (i: number, random: number) => number,
): ValueId {
  const scale = Math.sqrt(6 / (shape[1] * shape[2] * shape[3]))
  const count = shape[0] * shape[1] * shape[2] * shape[3]
  const values = Float64Array.from({ length: count }, (_, i) => value(i, (2 * net.random.next() - 1) * scale))
  return net.builder.constant(tensor('float32', shape, values), 'w')
}
