// Models as PyTorch's two exporters write them, with inputs and the outputs that PyTorch's users got: does `optimize` find what
// a person would look for, and does the written model still give the stored outputs?
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../src/base/errors.ts'
import { outputError, scaleOf } from '../../src/bench/compare-outputs.ts'
import { inputSpecs, readInputSets, readInputShapes } from '../../src/bench/index.ts'
import { parseTensor, readModelFile } from '../../src/onnx/index.ts'
import { createBackend } from '../../src/runtime/index.ts'
import { sharedArchive } from '../support/shared-data.ts'
import type { Benchmark } from './benchmark.ts'
import { GAIN_USAGE, parseGainOptions } from './gain-options.ts'
import { runGains } from './gain-table.ts'
import type { GainCase, Paths } from './gains.ts'

/** What this benchmark reads of an entry of manifest.json. */
interface Export {
  readonly name: string
  readonly architecture: string
  readonly nodes: number
  /** The rewrite that a person would look for. */
  readonly expected: string
}

const TEST_SET = 'test_data_set_0'

export const exportsBenchmark: Benchmark = {
  name: 'exports',
  about: `gains on PyTorch's exports; --folder FOLDER (default: the shared archive) ${GAIN_USAGE}`,
  run: (args) => {
    const options = parseGainOptions(args)
    const root = options.folder ?? sharedFolder()
    const entries = readManifest(root).filter((e) => options.wants(e.name))
    const looked = new Map(entries.map((e) => [e.name, `${e.expected} (${e.nodes} nodes)`]))
    const cells = async (name: string, paths: Paths) => [
      looked.get(name)!,
      await storedErrors(join(root, name, TEST_SET), paths),
    ]
    const heads = ['a person would look for', 'max rel error to the stored outputs: original, written']
    return runGains(() => entries.map((e) => caseOf(e, root)), options, { heads, cells })
  },
}

function sharedFolder(): string {
  const shared = sharedArchive('exports')
  if (shared.ok) return join(shared.path, 'exports')
  const fix = 'name its folder with --folder, or set ALLOTROPE_SHARED'
  throw new UserError({ code: 'no-exports', where: 'exports', expected: 'the archive', got: shared.reason, fix })
}

const readManifest = (root: string): readonly Export[] => JSON.parse(readFileSync(join(root, 'manifest.json'), 'utf8'))

const caseOf = ({ name, architecture }: Export, root: string): GainCase => ({
  name,
  group: architecture,
  modelPath: join(root, name, 'model.onnx'),
  samples: [],
  inputs: join(root, name, TEST_SET),
})

async function storedErrors(folder: string, { original, written }: Paths): Promise<string> {
  const errors = [await storedError(folder, original), written === null ? null : await storedError(folder, written)]
  return errors.map((e) => e?.toExponential(1) ?? 'not written').join(', ')
}

/** Largest error of a model's outputs, relative to the scale of each, on the stored inputs. */
async function storedError(folder: string, modelPath: string): Promise<number> {
  const { graph } = readModelFile(modelPath)
  const backend = createBackend('cpu')
  try {
    const session = await backend.open(modelPath, { threads: 1, optimization: 'all' })
    if (!session.ok) throw new Error(session.reason)
    const names = graph.inputs.map((v) => graph.values[v]!.name)
    const [set] = readInputSets(folder, inputSpecs(graph, readInputShapes(folder, names)))
    const answer = await session.value.run(set!.feeds)
    if (!answer.ok) throw new Error(answer.reason)
    const errors = session.value.outputNames.map((name, i) => {
      const expected = parseTensor(readFileSync(join(folder, `output_${i}.pb`)))
      return outputError(expected, answer.value[name], scaleOf(expected)).maxRel
    })
    return Math.max(0, ...errors)
  } finally {
    await backend.close()
  }
}
