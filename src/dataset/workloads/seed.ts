// The seed of the project: (x + y) * 2 on vectors, traced by torch.fx in the demonstration that Allotrope grew from.
import { workload } from './workload.ts'

export const seed = [
  workload({
    name: 'seed',
    family: 'seed',
    suite: 'seed',
    expected: 'x * 2 = x + x, (a + b) * c = a * c + b * c: on a CPU all of them within noise at this size',
    sizes: { small: 1024, full: 1 << 20 },
    build(net, n) {
      const sum = net.add(net.input('x', n), net.input('y', n))
      net.output(net.mul(sum, net.scalar(2)), 'mul')
    },
  }),
]
