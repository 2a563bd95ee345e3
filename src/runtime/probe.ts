// Whether a device is really there: a small product is computed on it, with no help from the CPU allowed, and the answer is
// checked. On Linux the Vulkan loader's own messages tell the name of the adapter.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { GraphBuilder } from '../ir/builder.ts'
import { tensor, toNdArray } from '../ir/tensor.ts'
import { modelOf, writeModelFile } from '../onnx/index.ts'
import type { Availability, DeviceName, Outcome } from './backend.ts'
import { ScratchFolder } from './scratch-folder.ts'
import { WorkerPool } from './worker-pool.ts'

export type Environment = Readonly<Record<string, string>>

export interface Probed extends Availability {
  /** The worker environment in which it was found. */
  readonly environment: Environment
}

const PROBE_TIMEOUT_MS = 60_000
const X = [1, 2, 3, 4]

/** Runs one multiplication on the device in a worker with this environment. */
export async function probeDevice(device: DeviceName, environment: Environment): Promise<Probed> {
  const scratch = new ScratchFolder()
  const pool = new WorkerPool(device, {
    environment: { ...environment, VK_LOADER_DEBUG: 'driver' },
    timeoutMs: PROBE_TIMEOUT_MS,
  })
  try {
    const fault = await faultOf(pool, scratch.fresh('probe.onnx'))
    if (fault !== null) return { available: false, reason: fault, fix: FIXES[device], environment }
    const versions = await pool.worker(false).request({ kind: 'versions' })
    const version = versions.ok ? versions.value.version : 'unknown'
    return { available: true, reason: describe(device, version, pool.worker(false).errorText), fix: '', environment }
  } finally {
    await pool.close()
    scratch.remove()
  }
}

const FIXES: Readonly<Record<DeviceName, string>> = {
  cpu: 'reinstall onnxruntime-node; it has binaries for linux, macOS (arm64) and Windows',
  webgpu:
    'install a Vulkan driver for the graphics card (libvulkan.so.1 and its driver manifest); without a card, ' +
    'npm install --no-save @sparticuz/chromium brings a slow software adapter',
  cuda:
    'linux x64 with an NVIDIA driver, CUDA 12 and cuDNN 9 on LD_LIBRARY_PATH; then node node_modules/onnxruntime-node/script/install.js, ' +
    "which fetches ONNX Runtime's CUDA libraries from the network",
}

/** null: it works. */
async function faultOf(pool: WorkerPool, path: string): Promise<string | null> {
  writeProbeModel(path)
  const session = await pool.open({
    modelPath: path,
    options: { threads: 1, optimization: 'all' },
    files: null,
  })
  rmSync(path)
  if (!session.ok) return shorten(session)
  if (session.value.warnings.length > 0) return session.value.warnings.join('; ')
  const answer = await session.value.run({ x: tensor('float32', [2, 2], X) })
  if (!answer.ok) return shorten(answer)
  const y = answer.value.y && [...toNdArray(answer.value.y).data]
  const right = X.map((x) => x * x)
  return y?.join() === right.join() ? null : `it computes ${X.join()} squared as ${y?.join()}`
}

function writeProbeModel(path: string): void {
  const b = new GraphBuilder('probe', new Map([['', 17]]))
  const x = b.input('x', 'float32', [2, 2])
  b.output(b.node('Mul', [x, x]), 'y')
  writeModelFile(path, modelOf(b.build()))
}

/** The message behind ONNX Runtime's source positions and function names. */
function shorten(outcome: Extract<Outcome<unknown>, { ok: false }>): string {
  const text = outcome.reason.replace(/^\/onnxruntime_src\/\S+\s.*? was false\. /s, '')
  return text.split('\n')[0]!.slice(0, 300)
}

function describe(device: DeviceName, version: string, loaderText: string): string {
  const engine = `ONNX Runtime ${version}`
  if (device === 'cpu') return engine
  const name = device === 'cuda' ? cudaName() : adapterName(loaderText)
  if (name === null) return `${engine}, an adapter that does not tell its name`
  return `${engine}, ${name}${isSoftware(name) ? ' (software: for checking, not for speed)' : ''}`
}

/** Name of the first NVIDIA GPU, as its driver tells it. */
function cudaName(): string | null {
  const query = ['--query-gpu=name', '--format=csv,noheader', '--id=0']
  const { status, stdout } = spawnSync('nvidia-smi', query, { encoding: 'utf8', timeout: 10_000 })
  return status === 0 ? stdout.trim() || null : null
}

/** Last list of devices that the Vulkan loader printed, best first: `[0] NVIDIA H100`. */
export function adapterName(loaderText: string): string | null {
  const lists = loaderText.split(/Sorted order:/)
  const names = (lists.at(-1) ?? '').match(/\[\d+\] .*/g)
  return lists.length < 2 || !names ? null : names[0]!.replace(/^\[\d+\] /, '').trim()
}

/** Adapters that are programs. */
export const isSoftware = (adapter: string): boolean => /swiftshader|llvmpipe|lavapipe|software/i.test(adapter)
