// What a reader needs to trust a number: machine, versions, load, commit, settings.
import { execFileSync } from 'node:child_process'
import { loadavg } from 'node:os'
import { describeMachine, type Machine } from '../../src/bench/index.ts'

export interface Context {
  readonly madeAt: string
  readonly commit: string
  /** As it was before the benchmark. */
  readonly machine: Machine
  readonly options: Readonly<Record<string, string | number | boolean>>
}

/** To be taken before the benchmark. */
export function contextOf(options: Context['options']): Context {
  const commit = execFileSync('git', ['describe', '--always', '--dirty'], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  })
  return { madeAt: new Date().toISOString(), commit: commit.trim(), machine: describeMachine(), options }
}

/** To be printed after it. */
export function printContext({ commit, machine, options, madeAt }: Context): void {
  const { cpu, cores, os, node, onnxruntime, loadAverage } = machine
  const load = `load ${loadAverage[0]!.toFixed(1)} before, ${loadavg()[0]!.toFixed(1)} after`
  const settings = Object.entries(options).map(([name, value]) => `${name} ${value}`)
  console.log(`\n${cpu} x ${cores}, ${os}, Node ${node}, ONNX Runtime ${onnxruntime}; ${load}.`)
  console.log(`Commit ${commit}, ${madeAt.slice(0, 10)}; ${settings.join(', ')}.`)
}
