// `npm run setup:tfjs-node [-- --cuda] [--force]`: makes @tensorflow/tfjs-node-gpu really load on Linux x64, for training.
// Its own install script downloads an old libtensorflow from outside the package registries. Instead: the package's
// JavaScript from npm, libtensorflow out of TensorFlow's Python wheel, and its two binding sources compiled here with g++.
// Everything goes to the user cache, so that a later `npm ci` does not wipe it; src/cost/tensorflow.ts finds it there.
// Ends with a real load and a matrix product in a process of its own, and says which device answered.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { EXIT, UserError } from '../src/base/errors.ts'
import { nativeFolder, nativePackage, probeNative } from '../src/cost/tensorflow-native.ts'

const TFJS_VERSION = '4.22.0'
/** The CPU build and the CUDA 12 build of the same release; both export the whole C API from two libraries. */
const WHEELS = { cpu: 'tensorflow-cpu==2.15.1', cuda: 'tensorflow==2.15.1' } as const
/** The wheel of this Python is taken apart, never run: any Python with pip can fetch it. */
const WHEEL_PYTHON = '3.11'
type Build = keyof typeof WHEELS

const say = (line: string): void => void process.stderr.write(`setup:tfjs-node  ${line}\n`)

function missing(code: string, got: string, fix: string): UserError {
  return new UserError({
    code,
    where: 'setup:tfjs-node',
    expected: 'the tools it needs',
    got,
    fix,
    exitCode: EXIT.providerMissing,
  })
}

/** Runs a program to its end; throws UserError with the end of what it said when it fails. */
function runTool(command: string, args: readonly string[], cwd: string, fix: string): string {
  const done = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (done.error) throw missing('missing-tool', `${command}: ${done.error.message}`, fix)
  if (done.status !== 0) {
    const said = `${done.stdout}\n${done.stderr}`.trim().split('\n').slice(-8).join('\n')
    throw missing('tool-failed', `${command} ended with ${done.status ?? done.signal}:\n${said}\n`, fix)
  }
  return done.stdout
}

/** The first of these commands that answers `--version`, or null. */
function firstPresent(commands: readonly string[]): string | null {
  return commands.find((c) => spawnSync(c, ['--version'], { stdio: 'ignore' }).status === 0) ?? null
}

interface Tools {
  readonly python: string
  readonly compiler: string
}

function findTools(): Tools {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw missing(
      'wrong-platform',
      `${process.platform} ${process.arch}`,
      'use the wasm backend: it needs nothing (this recipe is for Linux on x64)',
    )
  }
  const python = firstPresent(['python3', 'python'])
  if (!python) throw missing('missing-python', 'no python3 on the path', 'install Python 3 with pip')
  if (spawnSync(python, ['-m', 'pip', '--version'], { stdio: 'ignore' }).status !== 0) {
    throw missing('missing-pip', `${python} without pip`, 'install pip (python3-pip, or python3 -m ensurepip)')
  }
  const compiler = firstPresent([process.env.CXX ?? 'g++', 'g++', 'c++', 'clang++'])
  if (!compiler) throw missing('missing-compiler', 'no C++ compiler on the path', 'install g++, or name one in CXX')
  return { python, compiler }
}

/** The package's JavaScript and Node's own headers, without install scripts. */
function installPackage(folder: string): void {
  writeFileSync(join(folder, 'package.json'), '{ "name": "allotrope-tfjs-node", "private": true }\n')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const wanted = [`@tensorflow/tfjs-node-gpu@${TFJS_VERSION}`, 'node-api-headers@1']
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...wanted]
  runTool(npm, args, folder, 'check that npm reaches its registry, then run this again')
}

/** Takes the two libraries and the headers out of a wheel. Arguments: wheel, destination. */
const UNPACK = `
import sys, zipfile, os
wheel, out = sys.argv[1:3]
kept = ('libtensorflow_cc.so.2', 'libtensorflow_framework.so.2')
with zipfile.ZipFile(wheel) as z:
    for name in z.namelist():
        parts = name.split('/')
        if '..' in parts or not parts[0].startswith('tensorflow'): continue
        if len(parts) == 2 and parts[1] in kept: target = os.path.join(out, 'lib', parts[1])
        elif name.startswith('tensorflow/include/tensorflow/'): target = os.path.join(out, 'include', *parts[2:])
        elif name.startswith('tensorflow/include/tsl/'): target = os.path.join(out, 'include', *parts[2:])
        elif name.startswith('tensorflow/include/xla/'): target = os.path.join(out, 'include', *parts[2:])
        else: continue
        if name.endswith('/'): continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with z.open(name) as source, open(target, 'wb') as sink:
            while chunk := source.read(1 << 20): sink.write(chunk)
`

function fetchLibraries(folder: string, build: Build, { python }: Tools): void {
  const wheels = join(folder, 'wheel')
  const platforms = ['manylinux_2_17_x86_64', 'manylinux2014_x86_64'].flatMap((p) => ['--platform', p])
  const options = [
    '--no-deps',
    '--only-binary=:all:',
    '--python-version',
    WHEEL_PYTHON,
    ...platforms,
    '--disable-pip-version-check',
    '-q',
  ]
  const fix = 'check that pip reaches its index and that 1 GB is free, then run this again'
  runTool(python, ['-m', 'pip', 'download', ...options, '-d', wheels, WHEELS[build]], folder, fix)
  const wheel = readdirSync(wheels).find((f) => f.endsWith('.whl'))
  if (!wheel) throw missing('missing-wheel', 'pip ended well but left no wheel', fix)
  const deps = join(nativePackage(folder), 'deps')
  runTool(python, ['-c', UNPACK, join(wheels, wheel), deps], folder, fix)
  rmSync(wheels, { recursive: true })
  for (const [link, target] of [
    ['libtensorflow.so', 'libtensorflow_cc.so.2'],
    ['libtensorflow_framework.so', 'libtensorflow_framework.so.2'],
  ] as const) {
    if (!existsSync(join(deps, 'lib', target))) throw missing('missing-library', `a wheel without ${target}`, fix)
    symlinkSync(target, join(deps, 'lib', link))
  }
}

/** Compiles the package's own binding against libtensorflow. */
function compileBinding(folder: string, { compiler }: Tools): void {
  const root = nativePackage(folder)
  const out = join(root, 'lib', 'napi-v8')
  mkdirSync(out, { recursive: true })
  const sources = ['tfjs_backend.cc', 'tfe_auto_op.cc', 'tfjs_binding.cc']
    .map((f) => join('binding', f))
    .filter((f) => existsSync(join(root, f)))
  const headers = [join('deps', 'include'), join(folder, 'node_modules', 'node-api-headers', 'include'), '.']
  const flags = ['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=tfjs_binding']
  const libraries = [
    '-Ldeps/lib',
    '-l:libtensorflow_cc.so.2',
    '-l:libtensorflow_framework.so.2',
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
  ]
  const args = [
    ...flags,
    ...headers.map((h) => `-I${h}`),
    ...sources,
    ...libraries,
    '-o',
    join(out, 'tfjs_binding.node'),
  ]
  runTool(compiler, args, root, 'read the compiler message above; g++ 9 or later is needed')
}

/** Builds in a folder beside, then moves it into place: what the loader finds is whole. */
function buildAll(build: Build): void {
  const target = nativeFolder()
  const scratch = `${target}.building-${process.pid}`
  const tools = findTools()
  rmSync(scratch, { recursive: true, force: true })
  mkdirSync(scratch, { recursive: true })
  try {
    say(`1/3 installing @tensorflow/tfjs-node-gpu ${TFJS_VERSION}`)
    installPackage(scratch)
    say(`2/3 fetching ${WHEELS[build]} (libtensorflow, ${build})`)
    fetchLibraries(scratch, build, tools)
    say(`3/3 compiling the binding with ${tools.compiler}`)
    compileBinding(scratch, tools)
    writeFileSync(
      join(scratch, 'build.json'),
      `${JSON.stringify({ build, wheel: WHEELS[build], tfjs: TFJS_VERSION })}\n`,
    )
    rmSync(target, { recursive: true, force: true })
    moveFolder(scratch, target)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function moveFolder(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    cpSync(from, to, { recursive: true, verbatimSymlinks: true })
  }
}

/** The build that is in place, or null. */
function installedBuild(): string | null {
  const path = join(nativeFolder(), 'build.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { build: string }).build : null
}

function main(): void {
  const { values } = parseArgs({
    options: { cuda: { type: 'boolean' }, force: { type: 'boolean' }, help: { type: 'boolean' } },
  })
  if (values.help) {
    say('options: --cuda (the CUDA 12 build of libtensorflow), --force (build again)')
    return
  }
  const build: Build = values.cuda ? 'cuda' : 'cpu'
  if (values.force || installedBuild() !== build || !probeNative().available) buildAll(build)
  else say('already in place')
  const probe = probeNative()
  if (!probe.available)
    throw missing('does-not-load', probe.reason, 'run it again with --force; report the message if it stays')
  process.stdout.write(`tfjs-node-gpu ${TFJS_VERSION} loads: ${probe.reason}\nin ${nativeFolder()}\n`)
}

try {
  main()
} catch (error) {
  if (!(error instanceof UserError)) throw error
  say(error.message)
  process.exitCode = error.exitCode
}
