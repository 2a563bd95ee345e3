// The sequence models of TASO, TENSAT and their successors, scaled so that a run takes milliseconds: NasRNN and a faithful BERT.

import type { ValueId } from '../../ir/graph.ts'
import { tensor } from '../../ir/tensor.ts'
import { postNormBlock } from './layers.ts'
import type { Net } from './net.ts'
import { workload } from './workload.ts'

/** One step of NasRNN: eight gates, then a fixed tree of element-wise operators. */
function nasStep(net: Net, x: ValueId, h: ValueId, width: number): ValueId {
  const t = Array.from({ length: 8 }, () => net.add(net.project(x, width), net.project(h, width)))
  const [relu, sig, tanh] = [
    (i: number) => net.relu(t[i]!),
    (i: number) => net.sigmoid(t[i]!),
    (i: number) => net.tanh(t[i]!),
  ]
  const m0 = net.add(relu(0), sig(3))
  const m1 = net.add(sig(1), tanh(2))
  const m2 = net.mul(sig(4), tanh(5))
  const m3 = net.mul(sig(6), relu(7))
  const m4 = net.add(net.sigmoid(m1), net.tanh(m2))
  const m5 = net.mul(net.tanh(m0), net.tanh(m3))
  const m6 = net.mul(net.tanh(m4), net.tanh(m5))
  return net.tanh(m6)
}

export const sequencePapers = [
  workload({
    name: 'nasrnn',
    family: 'nasrnn',
    suite: 'papers',
    expected: 'gate products of one input merged; 1.02 measured on a CPU',
    sizes: { small: { steps: 3, width: 96 }, full: { steps: 5, width: 256 } },
    build(net, { steps, width }) {
      let h = net.builder.constant(tensor('float32', [1, width], new Float64Array(width).fill(0.1)), 'state')
      for (let i = 0; i < steps; i++) h = nasStep(net, net.input(`x${i}`, 1, width), h, width)
      net.output(h)
    },
  }),
  workload({
    name: 'bert',
    family: 'transformer',
    suite: 'papers',
    expected:
      'nothing large on a CPU: the runtime fuses attention and norms by itself, merging q, k and v loses a little',
    sizes: { small: { rows: 32, width: 96, heads: 3, layers: 2 }, full: { rows: 64, width: 384, heads: 6, layers: 4 } },
    build(net, { rows, width, heads, layers }) {
      let x = net.input('x', 1, rows, width)
      for (let i = 0; i < layers; i++) x = postNormBlock(net, x, heads, 4 * width)
      net.output(x)
    },
  }),
]
