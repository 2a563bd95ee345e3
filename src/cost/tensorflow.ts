// The tensor library that trains: tfjs-node-gpu where it really loads, else the wasm backend, else the plain cpu one. Callers
// get the `tf` namespace as a value, because tfjs-node-gpu brings its own copy of tfjs-core. What was asked for, what is used
// and why are all told; nothing changes silently. Pricing with a trained model needs none of this.
import { EXIT, UserError } from '../base/errors.ts'
import { probeNative, requireNative } from './tensorflow-native.ts'

export type Tf = typeof import('@tensorflow/tfjs-core')

export const TRAINERS = ['tfjs-node-gpu', 'wasm', 'cpu'] as const
export type TrainerName = (typeof TRAINERS)[number]

export interface Trainer {
  readonly tf: Tf
  readonly asked: TrainerName | 'auto'
  readonly used: TrainerName
  /** `wasm`, `tfjs-node-gpu (GPU)`, `tfjs-node-gpu (CPU)`, `cpu`: stored with the weights, which differ in the last bits. */
  readonly label: string
  /** Why faster trainers were passed over, one line each. */
  readonly notes: readonly string[]
}

export interface TrainerProbe {
  readonly name: TrainerName
  readonly available: boolean
  /** What it is, or why it is not there. */
  readonly reason: string
  /** How to get it; empty when available. */
  readonly fix: string
}

type Loaded =
  | { readonly ok: true; readonly tf: Tf; readonly label: string }
  | { readonly ok: false; readonly reason: string }

const FIX: Readonly<Record<TrainerName, string>> = {
  'tfjs-node-gpu': 'run `npm run setup:tfjs-node` (Linux x64; needs pip and g++), with `-- --cuda` for an NVIDIA GPU',
  wasm: 'reinstall the dependencies with `npm ci`',
  cpu: 'reinstall the dependencies with `npm ci`',
}

/** setBackend may resolve and leave another backend at work: only getBackend tells. */
async function select(tf: Tf, name: 'wasm' | 'cpu'): Promise<Loaded> {
  const set = await tf.setBackend(name)
  await tf.ready()
  return set && tf.getBackend() === name
    ? { ok: true, tf, label: name }
    : { ok: false, reason: `asked for the ${name} backend, tfjs gave ${tf.getBackend()}` }
}

async function loadWasm(): Promise<Loaded> {
  const tf = await import('@tensorflow/tfjs-core')
  await import('@tensorflow/tfjs-backend-wasm')
  await import('@tensorflow/tfjs-layers') // registers the gradients
  return select(tf, 'wasm')
}

async function loadCpu(): Promise<Loaded> {
  const tf = await import('@tensorflow/tfjs-core')
  await import('@tensorflow/tfjs-backend-cpu')
  await import('@tensorflow/tfjs-layers')
  return select(tf, 'cpu')
}

async function loadNative(): Promise<Loaded> {
  const { available, reason, path, usesGpu } = probeNative()
  if (!available || path === null) return { ok: false, reason }
  const tf = requireNative(path) as Tf
  await tf.ready()
  return { ok: true, tf, label: `tfjs-node-gpu (${usesGpu ? 'GPU' : 'CPU'})` }
}

const LOADERS: Readonly<Record<TrainerName, () => Promise<Loaded>>> = {
  'tfjs-node-gpu': loadNative,
  wasm: loadWasm,
  cpu: loadCpu,
}

/** Loads the trainer that is asked for, or the fastest that works. Throws UserError with exit code 6 where it does not load. */
export async function loadTrainer(asked: TrainerName | 'auto' = 'auto'): Promise<Trainer> {
  const notes: string[] = []
  for (const name of asked === 'auto' ? TRAINERS : [asked]) {
    const loaded = await LOADERS[name]()
    if (loaded.ok) return { tf: loaded.tf, asked, used: name, label: loaded.label, notes }
    notes.push(`${name} is not used: ${loaded.reason}`)
  }
  const where = `trainer ${asked}`
  const fix = FIX[asked === 'auto' ? 'wasm' : asked]
  throw new UserError({
    code: 'missing-trainer',
    where,
    expected: 'a tensor library that loads',
    got: notes.join('; '),
    fix,
    exitCode: EXIT.providerMissing,
  })
}

/** For `doctor`: every trainer, present or why not and how to get it. */
export async function probeTrainers(): Promise<readonly TrainerProbe[]> {
  const native = probeNative()
  const others = [await probeBundled('wasm'), await probeBundled('cpu')] // one after the other: they share tfjs's global state
  const first: TrainerProbe = {
    name: 'tfjs-node-gpu',
    available: native.available,
    reason: native.reason,
    fix: native.available ? '' : FIX['tfjs-node-gpu'],
  }
  return [first, ...others]
}

async function probeBundled(name: 'wasm' | 'cpu'): Promise<TrainerProbe> {
  const loaded = await LOADERS[name]()
  const reason = loaded.ok ? `TensorFlow.js ${loaded.tf.version_core}, backend ${name}, one thread` : loaded.reason
  return { name, available: loaded.ok, reason, fix: loaded.ok ? '' : FIX[name] }
}
