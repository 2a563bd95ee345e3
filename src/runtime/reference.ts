// The reference interpreter as a backend: an oracle that shares no code with ONNX Runtime. In a worker process like the
// others, because on a large model it is as good as a hang.
import type { KernelTable } from '../cost/kernel.ts'
import { type Model, readModelFile } from '../onnx/index.ts'
import {
  type Availability,
  type Backend,
  failure,
  type InputShapes,
  type LoweredGraph,
  type Outcome,
  type Session,
  type SessionOptions,
} from './backend.ts'
import { asOutcome } from './expected-error.ts'
import { completeTable, lowerGraph, sourcesOf } from './kernel-table.ts'
import type { BackendOptions } from './onnxruntime.ts'
import { WorkerPool } from './worker-pool.ts'

export class ReferenceBackend implements Backend {
  readonly name = 'reference'
  private readonly pool: WorkerPool

  constructor(options: BackendOptions = {}) {
    this.pool = new WorkerPool('reference', options)
  }

  async probe(): Promise<Availability> {
    return { available: true, reason: 'reference interpreter, float64, for checking', fix: '' }
  }

  /** Process ids of the workers that run now. */
  async pids(): Promise<readonly number[]> {
    return this.pool.pids
  }

  open(modelPath: string, options: SessionOptions): Promise<Outcome<Session>> {
    return this.pool.open({ modelPath, options, files: null })
  }

  /** Nothing is fused here: the kernels are the graph's own nodes. */
  async lower(model: string | Model, shapes: InputShapes): Promise<Outcome<KernelTable>> {
    const lowered = await this.lowerGraph(model, shapes)
    return lowered.ok ? { ok: true, value: lowered.value.kernels } : lowered
  }

  lowerGraph(model: string | Model, shapes: InputShapes): Promise<Outcome<LoweredGraph>> {
    return asOutcome(() => {
      const { graph } = typeof model === 'string' ? readModelFile(model) : model
      const lowering = lowerGraph(graph, shapes)
      const table = completeTable(lowering)
      if (table) return { ok: true, value: { kernels: table, sources: sourcesOf(graph) } }
      return failure('error', `no shapes for ${lowering.unknown.join(', ')}`)
    })
  }

  close(): Promise<void> {
    return this.pool.close()
  }
}
