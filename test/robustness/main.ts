// `npm run fuzz:models -- [--reads N] [--optimised N] [--metamorphic N] [--seed S] [--corpus DIR]`: damaged models are read, those
// that still read are optimised, and models that say the same in another way are optimised to the same. A failure leaves the
// model in out/fuzz and prints the command that judges it again: `--replay FILE`.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { EXIT } from '../../src/base/errors.ts'
import { createBackend } from '../../src/runtime/index.ts'
import { buildCorpus, smallWorkloads } from './corpus.ts'
import { DISGUISES, differenceInDisguise } from './metamorphic.ts'
import { damagedModel, type Specimen, specimensOf } from './mutate.ts'
import { optimiseCase } from './optimise-case.ts'
import { readCase } from './read-case.ts'
import { watchCases } from './watch.ts'

const USAGE =
  'usage: npm run fuzz:models -- [--reads N] [--optimised N] [--metamorphic N] [--seed S] [--corpus DIR] [--replay FILE]\n'
const OUT = 'out/fuzz'
const MEMORY_LIMIT_BYTES = 2 ** 30
const READ_LIMIT_MS = 10_000
/** Of a case with all its runs in the runtime; each of these has ten seconds. */
const OPTIMISE_LIMIT_MS = 60_000
const REPORT_MS = 30_000

interface Wanted {
  readonly reads: number
  readonly optimised: number
  readonly metamorphic: number
  readonly seed: number
  readonly corpus: string | null
  readonly replay: string | null
}

function readArguments(): Wanted | null {
  const text = { type: 'string' } as const
  const options = { reads: text, optimised: text, metamorphic: text, seed: text, corpus: text, replay: text }
  try {
    const { values } = parseArgs({ options })
    const { corpus = null, replay = null } = values
    const numbers = {
      reads: Number(values.reads ?? 100_000),
      optimised: Number(values.optimised ?? 1000),
      metamorphic: Number(values.metamorphic ?? 100),
      seed: Number(values.seed ?? 1),
    }
    return Object.values(numbers).every(Number.isInteger) ? { ...numbers, corpus, replay } : null
  } catch {
    return null
  }
}

/** One kind of case. */
interface Kind {
  readonly name: 'reads' | 'optimised'
  readonly worker: string
  readonly limitMs: number
  /** Cases of these outcomes do not count. */
  readonly uncounted: readonly string[]
}

const READS: Kind = { name: 'reads', worker: 'read-worker.ts', limitMs: READ_LIMIT_MS, uncounted: [] }
const OPTIMISED: Kind = {
  name: 'optimised',
  worker: 'optimise-worker.ts',
  limitMs: OPTIMISE_LIMIT_MS,
  uncounted: ['unread', 'large'],
}

/** Runs cases of a kind in one child per core until so many counted; returns the number of failures. */
async function runKind(kind: Kind, wanted: number, { seed, corpus }: Wanted, specimens: readonly Specimen[]) {
  const counts: Record<string, number> = {}
  const failures: number[] = []
  const started = performance.now()
  const total = () =>
    Object.entries(counts).reduce((n, [key, c]) => n + (kind.uncounted.includes(key) ? 0 : c), failures.length)
  const seconds = () => (performance.now() - started) / 1000
  const report = () =>
    process.stdout.write(
      `${kind.name}: ${total()} in ${seconds().toFixed(0)} s, ${(total() / seconds()).toFixed(0)} a second, ${JSON.stringify(counts)}, ${failures.length} failures\n`,
    )
  const timer = setInterval(report, REPORT_MS)
  const jobs = availableParallelism()
  // Where not all cases count, nobody knows how many it takes.
  const share = kind.uncounted.length === 0 ? Math.ceil(wanted / jobs) : 2 ** 28
  await Promise.all(
    Array.from({ length: jobs }, async (_, job) => {
      const folder = mkdtempSync(join(tmpdir(), 'allotrope-robustness-'))
      await watchCases({
        module: fileURLToPath(new URL(kind.worker, import.meta.url)),
        args: [String(seed), folder, ...(corpus === null ? [] : [corpus])],
        first: job * share,
        end: (job + 1) * share,
        caseLimitMs: kind.limitMs,
        memoryLimitBytes: MEMORY_LIMIT_BYTES,
        onFailure: (at, reason) => {
          failures.push(at)
          saveFailure(kind, damagedModel(specimens, seed, at), `${seed}-${at}`, reason)
        },
        onOutcomes: (more) => {
          for (const [key, n] of Object.entries(more)) counts[key] = (counts[key] ?? 0) + n
          return total() < wanted
        },
      })
      rmSync(folder, { recursive: true, force: true })
    }),
  )
  clearInterval(timer)
  report()
  return failures.length
}

function saveFailure(kind: Kind, { bytes, what }: ReturnType<typeof damagedModel>, id: string, reason: string): void {
  mkdirSync(OUT, { recursive: true })
  const path = join(OUT, `${kind.name}-${id}.onnx`)
  writeFileSync(path, bytes)
  const lines = reason.split('\n').slice(0, 5).join('\n    ')
  process.stdout.write(`FAILED ${what}: ${lines}\n  npm run fuzz:models -- --replay ${path}\n`)
}

/** Judges one file in this process: reads it, and optimises it if it reads. */
async function replay(path: string, corpus: string | null): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'allotrope-robustness-'))
  const backend = createBackend('cpu')
  try {
    buildCorpus(folder, corpus) // for its external data
    const bytes = readFileSync(path)
    const model = readCase(bytes, folder)
    const outcome = model && (await optimiseCase({ backend, folder }, model, bytes))
    process.stdout.write(`${path}: ${outcome ?? 'refused when it was read'}\n`)
  } finally {
    await backend.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Disguises workloads, one after another; returns how many were optimised to something else. */
async function runMetamorphic({ metamorphic, seed }: Wanted): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'allotrope-robustness-'))
  const backend = createBackend('cpu')
  const [graphs, disguises] = [smallWorkloads(), Object.keys(DISGUISES)]
  let failures = 0
  for (let at = 0; at < metamorphic; at++) {
    const graph = graphs[Math.floor(at / disguises.length) % graphs.length]!
    const disguise = disguises[at % disguises.length]!
    const difference = await differenceInDisguise({ backend, folder }, graph, disguise, seed + at)
    if (difference === null) continue
    failures++
    process.stdout.write(`FAILED ${difference}\n`)
  }
  await backend.close()
  rmSync(folder, { recursive: true, force: true })
  process.stdout.write(`metamorphic: ${metamorphic} disguises of ${graphs.length} models, ${failures} failures\n`)
  return failures
}

async function fuzz(wanted: Wanted): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'allotrope-robustness-'))
  const specimens = specimensOf(buildCorpus(folder, wanted.corpus))
  rmSync(folder, { recursive: true, force: true })
  process.stdout.write(`${specimens.length} models\n`)
  let failures = 0
  if (wanted.reads > 0) failures += await runKind(READS, wanted.reads, wanted, specimens)
  if (wanted.optimised > 0) failures += await runKind(OPTIMISED, wanted.optimised, wanted, specimens)
  if (wanted.metamorphic > 0) failures += await runMetamorphic(wanted)
  return failures
}

const wanted = readArguments()
if (wanted === null) {
  process.stderr.write(USAGE)
  process.exitCode = EXIT.usage
} else if (wanted.replay !== null) await replay(wanted.replay, wanted.corpus)
else process.exitCode = (await fuzz(wanted)) === 0 ? EXIT.ok : EXIT.verificationFailed
