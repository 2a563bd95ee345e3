// ONNX Runtime in the worker process; the only file that loads onnxruntime-node. Settings that matter for timing: threads
// fixed, no spinning threads (they disturb whatever runs next), outputs allocated before (page faults dominate otherwise).
import { createRequire } from 'node:module'
import { basename } from 'node:path'
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { bytesOf, DTYPES, type DType } from '../ir/dtype.ts'
import { elementCount } from '../ir/shape.ts'
import { type Tensor, tensorBytes, typedView } from '../ir/tensor.ts'
import type { Feeds, SessionOptions } from './backend.ts'
import { type Clock, undisturbedMs, wallMs } from './clock.ts'
import type { Engine, Loaded } from './engine.ts'
import { type EngineName, PROFILE_WARM_UP_RUNS, type ProfileFiles } from './protocol.ts'

type Provider = Exclude<EngineName, 'reference'>
type OrtFeeds = Record<string, OrtTensor>

// On Node >= 23 the binding refuses float16 as Uint16Array when there is a Float16Array, and cannot read one either.
Reflect.deleteProperty(globalThis, 'Float16Array')
const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof import('onnxruntime-node')

/** Only problems worth an error; ONNX Runtime's warnings are about its own guesses. */
const LOG_ERRORS_ONLY = 3

/** Weights from this size on can be written apart from a lowered graph. */
const LARGE_BYTES = 2 ** 14

export function onnxruntimeEngine(provider: Provider): Engine {
  return {
    versions: () => ({
      version: ort.env.versions.node ?? 'unknown',
      providers: ort.listSupportedBackends().map((b) => b.name),
    }),
    open: (modelPath, options, files) => openSession(provider, modelPath, options, files),
    lower: async (modelPath, { loweredPath, dataPath }) => {
      const settings = settingsOf(provider, { threads: 1, optimization: 'all' })
      const session = await ort.InferenceSession.create(modelPath, {
        ...settings,
        optimizedModelFilePath: loweredPath,
        extra: { session: { ...settings.extra.session, disable_prepacking: '1', ...weightsTo(dataPath) } },
      })
      await session.release()
    },
  }
}

const weightsTo = (dataPath: string | null) =>
  dataPath && {
    optimized_model_external_initializers_file_name: basename(dataPath),
    optimized_model_external_initializers_min_size_in_bytes: String(LARGE_BYTES),
  }

function settingsOf(provider: Provider, options: SessionOptions) {
  const flag = (on: boolean) => (on ? '1' : '0')
  return {
    executionProviders: [provider],
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: options.optimization,
    logSeverityLevel: LOG_ERRORS_ONLY,
    extra: {
      session: {
        'intra_op.allow_spinning': '0',
        'inter_op.allow_spinning': '0',
        set_denormal_as_zero: flag(options.denormalAsZero ?? false),
      },
    },
  } as const
}

async function openSession(
  provider: Provider,
  modelPath: string,
  options: SessionOptions,
  files: ProfileFiles | null,
): Promise<Loaded> {
  const profiling = files && {
    enableProfiling: true,
    profileFilePrefix: files.profilePrefix,
    optimizedModelFilePath: files.loweredPath,
  }
  const settings = { ...settingsOf(provider, options), ...profiling }
  if (provider === 'cpu')
    return loaded(
      await ort.InferenceSession.create(modelPath, settings),
      options.threads === 1 ? undisturbedMs : wallMs,
      [],
    )
  return openOnDevice(provider, modelPath, settings)
}

/** First wholly on the device; if ONNX Runtime refuses that, with parts on the CPU, and saying so. */
async function openOnDevice(
  provider: Provider,
  modelPath: string,
  settings: ReturnType<typeof settingsOf>,
): Promise<Loaded> {
  const session = { ...settings.extra.session, disable_cpu_ep_fallback: '1' }
  try {
    return loaded(await ort.InferenceSession.create(modelPath, { ...settings, extra: { session } }), wallMs, [])
  } catch (error) {
    if (!(error instanceof Error) || !/fallback to CPU EP has been explicitly disabled/i.test(error.message))
      throw error
    const warning = `part of the graph has no ${provider} kernel and runs on the CPU; a profile says which part`
    return loaded(await ort.InferenceSession.create(modelPath, settings), wallMs, [warning])
  }
}

function loaded(session: InferenceSession, clock: Clock, warnings: readonly string[]): Loaded {
  const inputs = new WeakMap<Feeds, OrtFeeds>()
  const outputs = new WeakMap<Feeds, Promise<OrtFeeds | readonly string[]>>()
  const inputsOf = (feeds: Feeds) => remember(inputs, feeds, () => toOrtFeeds(feeds))
  /** Tensors for the outputs, so that timed runs allocate none; their names where ONNX Runtime would not write into such. */
  const fetchesOf = (feeds: Feeds) =>
    remember(outputs, feeds, async () => {
      const ready = (await session.run(inputsOf(feeds))) as OrtFeeds
      return (await takes(session, inputsOf(feeds), ready)) ? ready : session.outputNames
    })
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    warnings,
    run: async (feeds) => fromOrtFeeds((await session.run(inputsOf(feeds))) as OrtFeeds),
    time: async (feeds, repeats, batch) => {
      const [given, fetches] = [inputsOf(feeds), await fetchesOf(feeds)]
      const runBatch = async () => {
        for (let b = 0; b < batch; b++) await session.run(given, fetches)
      }
      const millis: number[] = []
      for (let r = 0; r < repeats; r++) millis.push((await clock(runBatch)) / batch)
      return millis
    },
    profile: async (feeds, runs) => {
      for (let r = 0; r < PROFILE_WARM_UP_RUNS + runs; r++) await session.run(inputsOf(feeds))
      session.endProfiling()
    },
    close: () => session.release(),
  }
}

function remember<K extends object, V>(map: WeakMap<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

/** ONNX Runtime writes strings nowhere but into tensors of its own, and refuses tensors that are not as the model declares, even
 * where its own results are not. */
async function takes(session: InferenceSession, given: OrtFeeds, ready: OrtFeeds): Promise<boolean> {
  if (Object.values(ready).some((t) => t.type === 'string')) return false
  return session.run(given, ready).then(
    () => true,
    () => false,
  )
}

function toOrtFeeds(feeds: Feeds): OrtFeeds {
  return Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, toOrt(name, t)]))
}

/** Element types that the binding can take. */
const FEEDABLE: ReadonlySet<DType> = new Set<DType>([
  'float32',
  'float64',
  'float16',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'bool',
  'string',
])

function toOrt(name: string, t: Tensor): OrtTensor {
  if (!FEEDABLE.has(t.dtype)) throw new Error(`input ${name}: onnxruntime-node takes no ${t.dtype}`)
  const dims = [...t.shape]
  if (t.strings)
    return new ort.Tensor(
      'string',
      t.strings.map((s) => new TextDecoder().decode(s)),
      dims,
    )
  const expected = bytesOf(t.dtype, elementCount(t.shape))
  if (tensorBytes(t) !== expected) throw new Error(`input ${name}: ${tensorBytes(t)} bytes for ${t.dtype}[${t.shape}]`)
  return new ort.Tensor(t.dtype as 'float32', typedView(t) as Float32Array, dims)
}

function fromOrtFeeds(results: OrtFeeds): Feeds {
  return Object.fromEntries(Object.entries(results).map(([name, t]) => [name, fromOrt(name, t)]))
}

function fromOrt(name: string, t: OrtTensor): Tensor {
  const type: string = t.type
  if (!(type in DTYPES)) throw new Error(`output ${name}: element type ${type} is not known`)
  const head = { dtype: type as DType, shape: t.dims }
  if (type === 'string')
    return { ...head, bytes: new Uint8Array(0), strings: (t.data as string[]).map((s) => new TextEncoder().encode(s)) }
  const data = t.data as Float32Array
  return { ...head, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) }
}
