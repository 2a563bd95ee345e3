// Builds dist/ with the TypeScript compiler when its sources have changed since the last build.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const INPUTS = ['src', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json']
const STAMP = 'dist/.stamp'

/** All files under a path, sorted. @param {string} path @returns {string[]} */
export function filesUnder(path) {
  if (!existsSync(path)) return []
  const entries = readdirSync(path, { withFileTypes: true, recursive: true })
  return entries
    .filter((e) => e.isFile())
    .map((e) => join(e.parentPath ?? e.path, e.name))
    .sort()
}

/** Hash of everything a build depends on: names and contents. @param {string} root */
export function sourceHash(root) {
  const hash = createHash('sha256')
  for (const input of INPUTS) {
    const path = join(root, input)
    const files = input === 'src' ? filesUnder(path) : [path]
    for (const file of files.filter((f) => existsSync(f))) {
      hash
        .update(`${relative(root, file).replaceAll('\\', '/')}\0`)
        .update(readFileSync(file))
        .update('\0')
    }
  }
  return hash.digest('hex')
}

/** @param {string} root */
export function isBuildCurrent(root) {
  const stamp = join(root, STAMP)
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === sourceHash(root)
}

/** Builds if stale. True when dist/ is current; the compiler's messages go to stderr. @param {string} root @returns {boolean} */
export function ensureBuilt(root) {
  if (isBuildCurrent(root)) return true
  process.stderr.write('setup: building dist\n')
  const hash = sourceHash(root)
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const run = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: ['ignore', 2, 2] })
  if (run.status !== 0) return false
  writeFileSync(join(root, STAMP), hash)
  return true
}
