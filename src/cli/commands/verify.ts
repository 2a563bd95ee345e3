// `verify A B`: does B compute what A computes? On the same inputs, against A with the runtime's own optimisation off.
import { EXIT, UserError } from '../../base/errors.ts'
import { inputSets } from '../../bench/input-sets.ts'
import { firstRunnable } from '../../bench/runnable.ts'
import { readInputShapes } from '../../bench/user-inputs.ts'
import { type Verification, verifyModels } from '../../bench/verify.ts'
import { bindingsOf, type InputShapes } from '../../ir/bind.ts'
import type { Graph } from '../../ir/graph.ts'
import { readModelFile } from '../../onnx/index.ts'
import type { Backend, Outcome } from '../../runtime/index.ts'
import { type SampleShapes, sampleShapes, usualSamples } from '../../search/sample-shapes.ts'
import { type Answer, defineCommand } from '../command.ts'
import { withDevices } from '../devices.ts'
import { shapeOption, textOption } from '../option.ts'
import { table } from '../table.ts'

const scientific = (x: number): string => (Number.isFinite(x) ? x.toExponential(1) : 'differs')

function describe(v: Verification, a: string, b: string): string {
  const rows = v.outputs.map((o) => [o.name, scientific(o.maxAbs), scientific(o.maxRel), scientific(o.tolerance)])
  const verdict = v.passed ? `equal: ${b} computes what ${a} computes, on ${v.inputs} inputs` : `not equal: ${v.reason}`
  return rows.length === 0 ? verdict : `${verdict}\n${table(['output', 'max abs', 'max rel', 'tolerance'], rows)}`
}

function toAnswer(v: Verification, a: string, b: string): Answer {
  const data = {
    a,
    b,
    passed: v.passed,
    inputs: v.inputs,
    outputs: v.outputs,
    reason: v.reason ?? null,
    notes: v.notes,
  }
  const text = describe(v, a, b)
  if (v.passed) return { data, text }
  const complaint = {
    code: 'not-equal',
    where: b,
    expected: `the outputs of ${a}`,
    got: v.reason ?? 'others',
    fix: 'keep the original',
  }
  return { data, text, failure: { complaint, exitCode: EXIT.verificationFailed } }
}

/** Inputs of the user's own say at which sizes to compare. */
function shapesOfInputs(graph: Graph, folder: string | null): InputShapes {
  const fed = graph.inputs.filter((v) => !graph.initializers.has(v)).map((v) => graph.values[v]!.name)
  return folder === null ? new Map() : readInputShapes(folder, fed)
}

/** Sizes for what the user left open: usual ones at which the model runs. */
async function sampleThatRuns(
  oracle: Backend,
  path: string,
  graph: Graph,
  known: InputShapes,
  options: { readonly seed: number; readonly threads: number },
): Promise<Outcome<SampleShapes>> {
  const usual = sampleShapes(graph, known)
  if (usual.guesses.length === 0) return { ok: true, value: usual }
  return firstRunnable(oracle, path, withGraph(graph, usualSamples(graph, known)), options)
}

function* withGraph(graph: Graph, samples: Iterable<SampleShapes>) {
  for (const sample of samples) yield { graph, ...sample }
}

export const verify = defineCommand({
  name: 'verify',
  operands: '<a> <b>',
  summary: 'numerical equality of two models on the same inputs',
  examples: [
    ['model.onnx model.fast.onnx', 'is the second model equal to the first?'],
    ['a.onnx b.onnx --inputs samples', 'on inputs of your own, too'],
    ['a.onnx b.onnx --device webgpu --json', 'with the second on a GPU, for programs'],
  ],
  schemaVersion: 1,
  options: {
    shape: shapeOption,
    inputs: textOption('--inputs <folder>', 'inputs of your own: ONNX test data or .npy files'),
  },
  async run({ operands, options, talk }): Promise<Answer> {
    const [a, b] = operands as [string, string]
    const { graph } = readModelFile(a)
    readModelFile(b) // a file that is no model is bad input, not a difference
    const known = new Map([...shapesOfInputs(graph, options.inputs), ...options.shape])
    bindingsOf(graph, known) // refuses what does not fit
    const { seed, inputs, timeLimit, threads } = options
    const within = { device: options.device ?? 'cpu', timeLimit, signal: talk.signal } as const
    const outcome = await withDevices(within, async (oracle, device, exact) => {
      const sampled = await sampleThatRuns(oracle, a, graph, known, { seed, threads: threads ?? 1 })
      if (!sampled.ok) return sampled
      const { shapes, guesses } = sampled.value
      if (guesses.length > 0) talk.note('shapes', `${guesses.join(', ')} (--shape sets them)`)
      const sets = inputSets(graph, shapes, { seed, ...(inputs !== null && { folder: inputs }) })
      return verifyModels({ oracle, device, exact, ...(threads !== null && { threads }) }, a, b, sets)
    })
    if (!outcome.ok) {
      throw new UserError({
        code: 'cannot-run',
        where: a,
        expected: 'a model that runs',
        got: outcome.reason,
        fix: 'check --shape and --inputs',
      })
    }
    for (const note of outcome.value.notes) talk.warn(note)
    return toAnswer(outcome.value, a, b)
  },
})
