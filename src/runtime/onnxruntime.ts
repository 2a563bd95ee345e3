// ONNX Runtime as a backend: on the CPU, on WebGPU (Vulkan, Metal or D3D12 under it) and on CUDA. The work is done in worker
// processes (worker-pool.ts); here is what needs no runtime: finding the device, stub weights, reading back what was lowered.
import { rmSync } from 'node:fs'
import { basename } from 'node:path'
import { UserError } from '../base/errors.ts'
import type { KernelTable } from '../cost/kernel.ts'
import { bindShapes } from '../ir/bind.ts'
import { bytesOf } from '../ir/dtype.ts'
import type { Graph } from '../ir/graph.ts'
import { elementCount, isConcrete, shapeText } from '../ir/shape.ts'
import { tensorBytes } from '../ir/tensor.ts'
import { type Model, readModelFile, writeStubModel } from '../onnx/index.ts'
import {
  type Availability,
  type Backend,
  type DeviceName,
  type Feeds,
  failure,
  type InputShapes,
  type LoweredGraph,
  type Outcome,
  type Session,
  type SessionOptions,
} from './backend.ts'
import { asOutcome } from './expected-error.ts'
import { completeTable, lowerGraph, sourcesOf } from './kernel-table.ts'
import { type Environment, type Probed, probeDevice } from './probe.ts'
import { ScratchFolder } from './scratch-folder.ts'
import { softwareVulkanEnvironment, softwareVulkanWish, vulkanLoaderEnvironment } from './software-vulkan.ts'
import { type PoolOptions, WorkerPool } from './worker-pool.ts'

export type BackendOptions = Omit<PoolOptions, 'environment'>

/** Products in full float32, so that results compare with the CPU's; CUDA's default rounds them to ten bits. */
const CUDA_ENVIRONMENT: Environment = { NVIDIA_TF32_OVERRIDE: '0' }
/** Where the runtime's profile holds no times of the device (CUDA), launches that return when they are done make it so. */
const PROFILING_ENVIRONMENT: Partial<Record<DeviceName, Environment>> = { cuda: { CUDA_LAUNCH_BLOCKING: '1' } }

export class OnnxruntimeBackend implements Backend {
  readonly name: DeviceName
  private readonly options: BackendOptions
  private readonly scratch = new ScratchFolder()
  private pool: Promise<WorkerPool> | null = null
  private profilingPool: Promise<WorkerPool> | null = null
  private probed: Promise<Probed> | null = null

  constructor(device: DeviceName, options: BackendOptions = {}) {
    this.name = device
    this.options = options
  }

  async probe(): Promise<Availability> {
    const { available, reason, fix } = await this.find()
    return { available, reason, fix }
  }

  /** Process ids of the workers that run now. */
  async pids(): Promise<readonly number[]> {
    const pools = await Promise.all([this.pool, this.profilingPool])
    return pools.flatMap((pool) => pool?.pids ?? [])
  }

  async open(modelPath: string, options: SessionOptions): Promise<Outcome<Session>> {
    const pool = await (options.profile ? this.profilers() : this.workers())
    const files = options.profile
      ? { loweredPath: this.scratch.fresh('lowered.onnx'), profilePrefix: this.scratch.fresh('profile') }
      : null
    return pool.open({ modelPath, options, files })
  }

  async lower(model: string | Model, shapes: InputShapes): Promise<Outcome<KernelTable>> {
    const lowered = await this.lowerGraph(model, shapes)
    return lowered.ok ? { ok: true, value: lowered.value.kernels } : lowered
  }

  lowerGraph(model: string | Model, shapes: InputShapes): Promise<Outcome<LoweredGraph>> {
    return asOutcome(async () => {
      const whole = typeof model === 'string' ? readModelFile(model) : model
      const stub = writeStubModel(whole, this.scratch.folder, basename(this.scratch.fresh('stub.onnx')))
      const outcome = await asOutcome(() => this.lowerStub(stub.modelPath, whole.graph, shapes))
      rmSync(stub.modelPath, { force: true })
      return outcome
    })
  }

  async close(): Promise<void> {
    const pools = await Promise.all([this.pool, this.profilingPool])
    this.pool = null
    this.profilingPool = null
    await Promise.all([...new Set(pools)].map((pool) => pool?.close()))
    this.scratch.remove()
  }

  private async lowerStub(stubPath: string, original: Graph, shapes: InputShapes): Promise<Outcome<LoweredGraph>> {
    const pool = await this.workers()
    const loweredPath = this.scratch.fresh('lowered.onnx')
    const dataPath = isMadeOfKernels(original) ? this.scratch.fresh('lowered.data') : null
    const done = await pool.worker(false).request({ kind: 'lower', modelPath: stubPath, loweredPath, dataPath })
    if (!done.ok) return done
    const lowered = readModelFile(loweredPath, { hasStubs: true })
    // Thousands of variants are lowered, some of many megabytes.
    for (const path of [loweredPath, dataPath]) path && rmSync(path, { force: true })
    const table = completeTable(lowerGraph(lowered.graph, shapes))
    return table
      ? { ok: true, value: { kernels: table, sources: sourcesOf(lowered.graph) } }
      : this.lowerByRunning(stubPath, bindShapes(original, shapes))
  }

  /** Where inference does not reach, one run on zeros shows the shapes. */
  private async lowerByRunning(stubPath: string, bound: Graph): Promise<Outcome<LoweredGraph>> {
    const session = await this.open(stubPath, { threads: 1, optimization: 'all', profile: true })
    if (!session.ok) return session
    const profile = await session.value.profile(zeroFeeds(bound), 1)
    await session.value.close()
    if (!profile.ok) return profile
    const kernels = profile.value.map((k) => k.kernel)
    if (kernels.every((k) => k !== null)) return { ok: true, value: { kernels, sources: null } }
    const unknown = new Set(profile.value.filter((k) => k.kernel === null).map((k) => k.op))
    return failure('error', `neither inference nor a run tells the shapes of ${[...unknown].join(', ')}`)
  }

  private workers(): Promise<WorkerPool> {
    this.pool ??= this.start({})
    return this.pool
  }

  /** The same workers, unless profiles need an environment of their own. */
  private profilers(): Promise<WorkerPool> {
    const extra = PROFILING_ENVIRONMENT[this.name]
    if (!extra) return this.workers()
    this.profilingPool ??= this.start(extra)
    return this.profilingPool
  }

  private async start(extra: Environment): Promise<WorkerPool> {
    const environment = { ...(await this.environment()), ...extra }
    return new WorkerPool(this.name, { ...this.options, environment })
  }

  /** Found by trial only where there is a choice: a probe takes a process of its own. */
  private async environment(): Promise<Environment> {
    const candidates = environmentsOf(this.name)
    return candidates.length === 1 ? candidates[0]! : (await this.find()).environment
  }

  private find(): Promise<Probed> {
    this.probed ??= findDevice(this.name)
    return this.probed
  }
}

/** Whether most weights are those of convolutions: the runtime writes them anew, in its own layout, with the lowered graph or apart from
 * it; all others stay where the stub has them. */
function isMadeOfKernels({ initializers }: Graph): boolean {
  const bytesOfRank = (fits: (rank: number) => boolean) =>
    [...initializers.values()].reduce((sum, t) => sum + (fits(t.shape.length) ? tensorBytes(t) : 0), 0)
  return bytesOfRank((rank) => rank > 2) > bytesOfRank((rank) => rank <= 2)
}

/** Zeros for every input that must be fed. Throws UserError where a dimension is open. */
function zeroFeeds(graph: Graph): Feeds {
  const fed = graph.inputs.filter((v) => !graph.initializers.has(v)).map((v) => graph.values[v]!)
  return Object.fromEntries(
    fed.map(({ name, type }) => {
      if (!type || !isConcrete(type.shape)) throw openShape(name, type ? shapeText(type.shape) : 'none')
      const { dtype, shape } = type
      return [name, { dtype, shape, bytes: new Uint8Array(bytesOf(dtype, elementCount(shape))) }]
    }),
  )
}

function openShape(name: string, shape: string): UserError {
  return new UserError({
    code: 'open-shape',
    where: `input ${name}`,
    expected: 'a shape of numbers',
    got: shape,
    fix: `bind it, for example with --shape ${name}=1x3x224x224`,
  })
}

/** The first environment in which the device answers; else the reason of the plainest. */
async function findDevice(device: DeviceName): Promise<Probed> {
  let first: Probed | null = null
  for (const environment of environmentsOf(device)) {
    const probed = await probeDevice(device, environment)
    if (probed.available) return probed
    first ??= probed
  }
  return first ?? { available: false, reason: NO_SOFTWARE_VULKAN.reason, fix: NO_SOFTWARE_VULKAN.fix, environment: {} }
}

const NO_SOFTWARE_VULKAN = {
  reason:
    'ALLOTROPE_SOFTWARE_VULKAN=1 asks for software Vulkan, and @sparticuz/chromium, which carries it, is not there',
  fix: 'on linux x64: npm install --no-save @sparticuz/chromium',
}

/** Worker environments to try, best first. The package's Vulkan loader also serves a real driver on systems without one. */
function environmentsOf(device: DeviceName): readonly Environment[] {
  if (device === 'cpu') return [{}]
  if (device === 'cuda') return [CUDA_ENVIRONMENT]
  const wish = softwareVulkanWish()
  const software = wish === 'never' ? [] : [softwareVulkanEnvironment()]
  const real = wish === 'always' ? [] : [{}, wish === 'never' ? null : (vulkanLoaderEnvironment()?.environment ?? null)]
  return [...real, ...software].filter((e) => e !== null)
}
