// Resize commutes with 1x1 convolutions, and 1x1 convolutions with concatenation (rows 16-17 of the table of identities).
import { applyConv, convLayer } from './parts.ts'
import { workload } from './workload.ts'

export const resizing = [
  ...(['nearest', 'linear'] as const).map((mode) =>
    workload({
      name: `resize-${mode}-then-conv`,
      family: 'resize-conv',
      suite: 'algebra',
      expected: 'a 1x1 convolution moves before the resize, where it has fewer pixels to work on',
      sizes: {
        small: { channels: 32, to: 32, size: 14 },
        full: { channels: 128, to: 128, size: 28 },
        reverse: { channels: 16, to: 256, size: 28 },
      },
      build(net, { channels, to, size }) {
        const large = net.resize(net.input('x', 1, channels, size, size), 2 * size, 2 * size, mode)
        net.output(net.convRelu(large, to, 1))
      },
      byHand(net, { channels, to, size }) {
        const small = net.conv(net.input('x', 1, channels, size, size), to, 1)
        net.output(net.relu(net.resize(small, 2 * size, 2 * size, mode)))
      },
    }),
  ),
  workload({
    name: 'conv-of-concat',
    family: 'conv-of-concat',
    suite: 'algebra',
    expected: 'conv1x1(concat(a, b, ..)) = sum of conv1x1; with resized parts each moves before its resize',
    sizes: {
      small: { channels: 24, to: 48, size: 8, parts: 3 },
      full: { channels: 64, to: 128, size: 14, parts: 3 },
      narrowing: { channels: 128, to: 32, size: 14, parts: 3 },
    },
    build(net, { channels, to, size, parts }) {
      const largest = size << (parts - 1)
      const maps = Array.from({ length: parts }, (_, i) => {
        const x = net.input(`x${i}`, 1, channels, size << i, size << i)
        return net.resize(x, largest, largest, 'linear')
      })
      net.output(net.convRelu(net.concat(maps, 1), to, 1))
    },
    byHand(net, { channels, to, size, parts }) {
      const inputs = Array.from({ length: parts }, (_, i) => net.input(`x${i}`, 1, channels, size << i, size << i))
      const { weight, bias } = convLayer(net, parts * channels, to, 1)
      const none = net.scalar(0, to)
      const maps = inputs.map((x, i) => {
        const own = net.slice(weight, 1, i * channels, (i + 1) * channels)
        const [map, largest] = [applyConv(net, x, { weight: own, bias: i === 0 ? bias : none }), size << (parts - 1)]
        return i === parts - 1 ? map : net.resize(map, largest, largest, 'linear')
      })
      net.output(net.relu(maps.reduce((a, b) => net.add(a, b))))
    },
  }),
]
