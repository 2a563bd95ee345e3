// What a timing was taken on. Two timings compare only where the fingerprints agree; the load tells how much to trust them.
import { readdirSync, readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { shortHash } from '../base/hash.ts'
import { onnxruntimeVersion } from '../runtime/index.ts'

export interface Machine {
  /** Hash of everything below but the load. */
  readonly id: string
  readonly cpu: string
  readonly cores: number
  /** Vector extensions that kernels are chosen by; empty where the platform does not tell. */
  readonly cpuFeatures: readonly string[]
  /** `L1 Data 48K`, `L3 Unified 32M`; empty where the platform does not tell. */
  readonly caches: readonly string[]
  readonly memoryBytes: number
  readonly os: string
  readonly architecture: string
  readonly node: string
  /** null: not installed. */
  readonly onnxruntime: string | null
  /** Runnable processes over 1, 5 and 15 minutes; zeros on Windows. */
  readonly loadAverage: readonly number[]
}

/** This machine, now. */
export function describeMachine(): Machine {
  const facts = {
    cpu: cpus()[0]?.model.trim() || 'unknown',
    cores: availableParallelism(),
    cpuFeatures: cpuFeatures(),
    caches: caches(),
    memoryBytes: totalmem(),
    os: `${platform()} ${release()}`,
    architecture: arch(),
    node: process.versions.node,
    onnxruntime: onnxruntimeVersion(),
  }
  return { id: shortHash(JSON.stringify(facts)), ...facts, loadAverage: loadavg() }
}

/** Extensions for which ONNX Runtime's kernels (MLAS) have code of their own. */
const KERNEL_FEATURES = [
  'avx',
  'avx2',
  'fma',
  'avx_vnni',
  'avx512f',
  'avx512bw',
  'avx512_vnni',
  'avx512_bf16',
  'amx_tile',
  'amx_int8',
  'amx_bf16',
  'asimd',
  'asimddp',
  'i8mm',
  'bf16',
  'sve',
]

function cpuFeatures(): readonly string[] {
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(readOrEmpty('/proc/cpuinfo'))?.[1] ?? ''
  const has = new Set(line.split(/\s+/))
  return KERNEL_FEATURES.filter((f) => has.has(f))
}

function caches(): readonly string[] {
  const root = '/sys/devices/system/cpu/cpu0/cache'
  const read = (folder: string, name: string) => readOrEmpty(join(root, folder, name)).trim()
  return listOrEmpty(root)
    .filter((name) => /^index\d+$/.test(name))
    .sort()
    .map((folder) => `L${read(folder, 'level')} ${read(folder, 'type')} ${read(folder, 'size')}`)
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // another platform, or a container that hides it
  }
}

function listOrEmpty(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
