// `npm run bench -- <name> [arguments]`: the table of benchmarks. Not part of the tests.
import { cpus, loadavg } from 'node:os'
import { UserError } from '../../src/base/errors.ts'
import { algebraBenchmark } from './algebra.ts'
import type { Benchmark } from './benchmark.ts'
import { bertBenchmark } from './bert.ts'
import { blocksBenchmark } from './blocks.ts'
import { cleanUpBenchmark } from './clean-up.ts'
import { egraphBenchmark } from './egraph.ts'
import { exportsBenchmark } from './exports.ts'
import { familiesBenchmark } from './families.ts'
import { largeBenchmark } from './large.ts'
import { modelsBenchmark } from './models.ts'
import { papersBenchmark } from './papers.ts'

const BENCHMARKS: readonly Benchmark[] = [
  egraphBenchmark,
  modelsBenchmark,
  algebraBenchmark,
  blocksBenchmark,
  papersBenchmark,
  familiesBenchmark,
  exportsBenchmark,
  bertBenchmark,
  largeBenchmark,
  cleanUpBenchmark,
]

const [name, ...args] = process.argv.slice(2)
const benchmark = BENCHMARKS.find((b) => b.name === name)
if (benchmark === undefined) {
  console.log('usage: npm run bench -- <name> [arguments]\n')
  for (const b of BENCHMARKS) console.log(`  ${b.name.padEnd(12)} ${b.about}`)
  process.exitCode = name === undefined ? 0 : 2
} else {
  const machine = `${cpus()[0]?.model ?? 'unknown processor'} x ${cpus().length}, Node ${process.version}`
  console.log(`${benchmark.name} on ${machine}, load ${loadavg()[0]!.toFixed(1)}\n`)
  try {
    await benchmark.run(args)
  } catch (error) {
    // Wrong options (TypeError of node:util) and missing data are the caller's to mend; anything else is a bug.
    if (!(error instanceof TypeError || error instanceof UserError)) throw error
    console.error(error.message)
    process.exitCode = 2
  }
}
