// A process that appends to a dataset as fast as it can, to be killed by kill.test.ts: `appender.ts FOLDER FIRST`.
import { type GraphRow, openDataset, type VariantRow } from '../../src/dataset/index.ts'

const [folder, first] = process.argv.slice(2) as [string, string]
const about = { name: 'test', description: 'A test.', licence: 'MIT', seed: 1 }
const writer = await openDataset(folder, { about, machine: { cpu: 'none' } })
process.stdout.write('open\n')
for (let i = Number(first); ; i++) {
  const root = `root-${i}`
  const graph: GraphRow = { root, family: 'f', name: 'n', seed: 1, nodes: 2, inputs: 'x=1x2' }
  const variants = Array.from({ length: 200 }, (_, k): VariantRow => {
    const variant = `${root}-variant-${k}`
    return { variant, root, plan: '', rules: '', lowered: 'l'.repeat(200), nodes: 1, kernels: 'k:1' }
  })
  writer.append({ graphs: [graph], variants })
}
