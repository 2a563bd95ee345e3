// A temporary folder with a model to work on, removed after the tests.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findWorkload } from '../../../src/dataset/workloads/index.ts'
import { tensor } from '../../../src/ir/tensor.ts'
import { encodeTensor, modelOf, writeModelFile } from '../../../src/onnx/index.ts'
import type { OptimizeOptions } from '../../../src/optimize.ts'

export interface Workspace {
  path(name: string): string
  /** Writes a workload as a model file; returns its path. */
  model(workload: string, size: string): string
  /** A folder with a chunk of speech-like sound for silero-vad; returns its path. */
  speech(name: string): string
  remove(): void
}

export function createWorkspace(): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'allotrope-test-'))
  const path = (name: string) => join(folder, name)
  return {
    path,
    model: (workload, size) => {
      const file = path(`${workload}.onnx`)
      writeModelFile(file, modelOf(findWorkload(workload).build(size, 1)), { force: true })
      return file
    },
    speech: (name) => {
      const to = path(`${name}-inputs`)
      mkdirSync(to, { recursive: true })
      const sound = Array.from({ length: 512 }, (_, i) => 0.3 * Math.sin(i / 7) * Math.sin(i / 90))
      const inputs = [
        tensor('float32', [1, 512], sound),
        tensor('float32', [2, 1, 128], new Float64Array(256)),
        tensor('int64', [], [16000]),
      ]
      for (const [i, t] of inputs.entries()) writeFileSync(join(to, `input_${i}.pb`), encodeTensor(t))
      return to
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** What the command line passes when the user gives nothing but a model. */
export function optimizeOptions(input: string, more: Partial<OptimizeOptions> = {}): OptimizeOptions {
  return {
    input,
    output: null,
    shapes: new Map(),
    samples: new Map(),
    inputs: null,
    device: 'cpu',
    threads: 1,
    seed: 1,
    timeLimit: null,
    measure: 2,
    rules: null,
    objective: 'latency',
    maxGrowth: 4,
    costModel: null,
    force: false,
    ...more,
  }
}
