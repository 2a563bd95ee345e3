// Where @tensorflow/tfjs-node-gpu may be, and whether it really loads. A folder in node_modules proves nothing: its native
// part is fetched by an install script that is often not run. So it is loaded, once, in a process of its own: a crash of a
// native library there is an answer, not our end. `npm run setup:tfjs-node` puts a working build into the user cache.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NAME = '@tensorflow/tfjs-node-gpu'
/** A load and a product take a second or two; a broken driver may hang. */
const PROBE_TIMEOUT_MS = 60_000

export interface NativeProbe {
  readonly available: boolean
  /** Which device answered, or why none did. */
  readonly reason: string
  /** Path of the package that loads; null when none does. */
  readonly path: string | null
  readonly usesGpu: boolean
}

/** Folder of the build in the user cache: one per platform and tfjs version. */
export function nativeFolder(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  return join(cache, 'allotrope', `tfjs-node-gpu-4.22-${process.platform}-${process.arch}`)
}

/** The package inside such a folder. */
export const nativePackage = (folder: string): string => join(folder, 'node_modules', ...NAME.split('/'))

/** Places to look, best first: what the user's own installation made, then the user cache. */
function candidates(): string[] {
  const found: string[] = []
  try {
    found.push(fileURLToPath(new URL('.', `file://${createRequire(import.meta.url).resolve(`${NAME}/package.json`)}`)))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
  }
  const cached = nativePackage(nativeFolder())
  return existsSync(cached) ? [...found, cached] : found
}

/** Removed from Node 23 on; tfjs-node 4.22 calls them while it loads. */
export const SHIMS = 'const u = require("util"); u.isNullOrUndefined ??= (x) => x == null; u.isArray ??= Array.isArray;'

const PROBE = `${SHIMS}
const tf = require(process.argv[1]);
const a = tf.ones([64, 64]);
const sum = tf.sum(tf.matMul(a, a)).dataSync()[0];
if (sum !== 64 ** 3) throw new Error('a product of ones sums to ' + sum);
const backend = tf.backend();
process.stdout.write(JSON.stringify({ gpu: backend.isUsingGpuDevice === true, name: tf.getBackend(), version: backend.binding.TF_Version }));
`

function probe(path: string): NativeProbe {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' }
  const run = spawnSync(process.execPath, ['-e', PROBE, path], { encoding: 'utf8', timeout: PROBE_TIMEOUT_MS, env })
  const answer = run.stdout.split('\n').find((line) => line.includes('{"gpu"'))
  if (run.status !== 0 || !answer) {
    const said =
      run.stderr.split('\n').find((line) => /Error|cannot|can not/i.test(line)) ??
      run.error?.message ??
      `ended with ${run.status ?? run.signal}`
    return { available: false, reason: said.trim().slice(0, 300), path: null, usesGpu: false }
  }
  const { gpu, name, version } = JSON.parse(answer.slice(answer.indexOf('{"gpu"'))) as {
    gpu: boolean
    name: string
    version: string
  }
  return {
    available: true,
    reason: `TensorFlow ${version}, backend ${name}, on the ${gpu ? 'GPU' : 'CPU'}`,
    path,
    usesGpu: gpu,
  }
}

/** Loads each candidate until one works. */
export function probeNative(): NativeProbe {
  let last: NativeProbe = { available: false, reason: `${NAME} is not installed`, path: null, usesGpu: false }
  for (const path of candidates()) {
    last = probe(path)
    if (last.available) return last
  }
  return last
}

/** The namespace of a package that has been probed. */
export function requireNative(path: string): unknown {
  const require = createRequire(import.meta.url)
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '3'
  const util = require('node:util') as Record<string, unknown>
  util.isNullOrUndefined ??= (x: unknown) => x == null
  util.isArray ??= Array.isArray
  return require(path)
}
