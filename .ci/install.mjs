// Says whether node_modules is what package-lock.json asks for on this machine, and runs `npm ci` where it is not.
// Plain Node, no dependencies: it runs before anything is installed. npm writes node_modules/.package-lock.json as the
// very last act of an install, so an interrupted install, a copy from another operating system and an outdated one all show.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, link?: boolean, os?: string[], cpu?: string[], libc?: string[] }} Locked */
/** @typedef {{ os: string, cpu: string, libc: string | null }} Machine */
/** @typedef {{ current: true } | { current: false, reason: string }} Verdict */

/** Set after a successful `npm ci`: the lockfile it was run on. Optional packages that npm left out are then not asked for again. */
const STAMP = 'node_modules/.allotrope-install'

/** Why this Node is too old, or null. @param {string} version */
export function nodeFault(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 20 || (major === 20 && minor >= 19)
    ? null
    : `Node ${version} is too old: Allotrope needs 20.19 or newer.`
}

/** @returns {Machine} */
export function thisMachine() {
  return { os: process.platform, cpu: process.arch, libc: process.platform === 'linux' ? libcOfLinux() : null }
}

function libcOfLinux() {
  // Without this a report looks up the names of all open connections, which can take seconds.
  Object.assign(process.report, { excludeNetwork: true })
  const report = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (process.report.getReport())
  return report.header?.glibcVersionRuntime ? 'glibc' : 'musl'
}

/** npm's rule: `!name` excludes, any plain name must match. @param {string[] | undefined} list @param {string | null} value */
function allows(list, value) {
  if (!list || value === null) return true
  if (list.includes(`!${value}`)) return false
  const wanted = list.filter((name) => !name.startsWith('!'))
  return wanted.length === 0 || wanted.includes(value)
}

/** True where npm would install the package on this machine. @param {Locked} entry @param {Machine} machine */
export function fitsMachine(entry, machine) {
  return allows(entry.os, machine.os) && allows(entry.cpu, machine.cpu) && allows(entry.libc, machine.libc)
}

/** @param {string} file @returns {{ packages: Record<string, Locked> } | null} */
function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}

/** @param {string} root */
function lockHash(root) {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
}

/** @param {string} file */
const readText = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '')

/** Compares what is installed with the lockfile, package by package. @param {string} root @param {Machine} machine @returns {Verdict} */
export function checkInstall(root, machine) {
  const wanted = readLock(join(root, 'package-lock.json'))
  if (!wanted) return { current: false, reason: 'package-lock.json cannot be read' }
  if (!existsSync(join(root, 'node_modules'))) return { current: false, reason: 'dependencies are not installed' }
  const installed = readLock(join(root, 'node_modules', '.package-lock.json'))
  if (!installed) return { current: false, reason: 'the last install was interrupted' }
  const settled = readText(join(root, STAMP)) === lockHash(root)
  for (const [path, entry] of Object.entries(wanted.packages)) {
    if (path === '' || entry.link || !fitsMachine(entry, machine)) continue
    const reason = faultOf(root, path, entry, installed.packages[path])
    if (reason && !(entry.optional && settled)) return { current: false, reason }
  }
  return { current: true }
}

/** @param {string} root @param {string} path @param {Locked} entry @param {Locked | undefined} found */
function faultOf(root, path, entry, found) {
  const name = path.replace(/^.*node_modules\//, '')
  if (!found) return `${name} is missing`
  if (found.version !== entry.version) return `${name} is ${found.version}, the lockfile asks for ${entry.version}`
  if (entry.integrity && found.integrity && entry.integrity !== found.integrity)
    return `${name} differs from the lockfile`
  return existsSync(join(root, path, 'package.json')) ? null : `${name} is missing`
}

/** Command and first arguments that start npm, without a shell where that is possible. @param {NodeJS.ProcessEnv} env */
export function npmCommand(env) {
  const beside = dirname(process.execPath)
  const candidates = [
    env.npm_execpath && /^npm-cli\.c?js$/.test(basename(env.npm_execpath)) ? env.npm_execpath : '',
    join(beside, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(beside, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ]
  const script = candidates.find((file) => file !== '' && existsSync(file))
  if (script) return { command: process.execPath, args: [script], shell: false }
  return { command: 'npm', args: [], shell: process.platform === 'win32' }
}

const OFFLINE =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT/

/** The message for a failed `npm ci`. @param {number | null} code @param {string} output */
export function explainFailure(code, output) {
  const offline = OFFLINE.exec(output)
  const cause = offline
    ? `the package registry could not be reached (${offline[0]})`
    : `npm ci ended with exit code ${code}`
  const fix = offline
    ? 'Connect this machine, or point npm at a registry mirror that it can reach'
    : 'See what npm says above'
  return `The dependencies could not be installed: ${cause}.\n${fix}, then run the same command again; it picks up where this one stopped.`
}

/** What is in npm's cache is not asked for again, and a registry that cannot be reached is given up after about 20 seconds. */
const PATIENCE = [
  '--prefer-offline',
  '--fetch-retries=3',
  '--fetch-retry-mintimeout=2000',
  '--fetch-retry-maxtimeout=10000',
]

/** Runs `npm ci`; npm's own talk goes to stderr. @param {string} root @returns {Promise<{ code: number | null, output: string }>} */
function runNpmCi(root) {
  const npm = npmCommand(process.env)
  const args = [...npm.args, 'ci', '--include=dev', '--include=optional', ...PATIENCE]
  return new Promise((resolve) => {
    const child = spawn(npm.command, args, { cwd: root, shell: npm.shell, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk
        process.stderr.write(chunk)
      })
    }
    child.on('error', (error) => resolve({ code: null, output: `${output}\n${error.message}` }))
    child.on('close', (code) => resolve({ code, output }))
  })
}

/** Installs what is missing. Resolves to null, or to the message that says why it could not. @param {string} root @returns {Promise<string | null>} */
export async function ensureInstalled(root) {
  const verdict = checkInstall(root, thisMachine())
  if (verdict.current) return null
  process.stderr.write(`setup: ${verdict.reason}; running npm ci\n`)
  const { code, output } = await runNpmCi(root)
  if (code !== 0) return explainFailure(code, output)
  writeFileSync(join(root, STAMP), lockHash(root))
  const after = checkInstall(root, thisMachine())
  return after.current
    ? null
    : `npm ci ended well, yet ${after.reason}. Delete node_modules and run the same command again.`
}
