// The thread in which HiGHS runs: its `run` blocks until the answer or the time limit. Gets an ExactRequest, posts an
// ExactAnswer, ends.
import { parentPort, workerData } from 'node:worker_threads'
import highs from 'highs'
import type { MipModel } from './exact-model.ts'

export interface ExactRequest {
  readonly mip: MipModel
  readonly start: readonly number[]
  readonly timeLimitMs: number
  readonly seed: number
}

export interface ExactAnswer {
  /** HiGHS proved that no selection of the model costs less. */
  readonly optimal: boolean
  /** Column values, empty if there is no feasible point. */
  readonly values: Float64Array
  readonly bound: number
}

/** The package ships an ES module, but its types describe a CommonJS one: the default export is the loader itself. */
const loadHighs = highs as unknown as typeof highs.default

const request = workerData as ExactRequest
parentPort?.postMessage(await solve(request))

async function solve({ mip, start, timeLimitMs, seed }: ExactRequest): Promise<ExactAnswer> {
  const solver = await loadHighs()
  return solver.withModel(
    {
      numCols: mip.cost.length,
      numRows: mip.rowLower.length,
      colCost: mip.cost,
      colLower: mip.lower,
      colUpper: mip.upper,
      rowLower: mip.rowLower,
      rowUpper: mip.rowUpper,
      integrality: Int32Array.from(mip.integer),
      matrix: {
        format: 'csr',
        numRows: mip.rowLower.length,
        numCols: mip.cost.length,
        starts: mip.rowStart,
        indices: mip.columns,
        values: mip.values,
      },
    },
    (model) => {
      model.options.set({ output_flag: false, time_limit: timeLimitMs / 1000, random_seed: seed, mip_rel_gap: 0 })
      model.setSolution({ colValue: start })
      model.run()
      const optimal = model.getModelStatus() === solver.constants.modelStatus.optimal
      const feasible = model.info.get('primal_solution_status') === solver.constants.solutionStatus.feasible
      return {
        optimal,
        values: feasible ? Float64Array.from(model.getSolution().colValue) : new Float64Array(),
        bound: Number(model.info.get('mip_dual_bound')),
      }
    },
  )
}
