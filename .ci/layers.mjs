// The rows of the house: a file in src imports from its own room and from rooms of lower rows, never upward, never
// sideways, never in a circle, and never from outside src. Type-only imports count. Also holds the walls around libraries
// that one room alone may know, and the limits on the length of a file. `npm run layers`; part of `npm test`.
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { filesUnder } from './build.mjs'
import { importsOf } from './imports.mjs'

/** Row of each room; the files at the top of src are the flows (row 6) and the menu (row 7). */
export const ROWS = {
  base: 0,
  egraph: 1,
  ir: 1,
  onnx: 2,
  torch: 2,
  cost: 2,
  dataset: 2,
  rewrite: 3,
  runtime: 3,
  search: 4,
  bench: 4,
  trial: 5,
  report: 5,
  flows: 6,
  cli: 7,
  'index.ts': 7,
}
const FLOWS = ['optimize.ts', 'collect.ts', 'train.ts', 'compare.ts', 'demo.ts', 'explain.ts']

/** Libraries that one room knows, by the start of their name. */
export const WALLS = {
  '@bufbuild/protobuf': 'onnx',
  'onnxruntime-node': 'runtime',
  commander: 'cli',
  vega: 'report',
  '@viz-js/viz': 'report',
}

export const WARN_LINES = 300
export const MAX_LINES = 400
const GENERATED = 'src/onnx/generated/'

/** @typedef {keyof typeof ROWS} Room */
/** @typedef {ReadonlyMap<string, string>} Sources file (posix path from the repository root) -> text */
/** @typedef {{ from: string, to: string, line: number, kind: 'import' | 'url' }} Edge */

/** The room of a file in src, or null. @param {string} file @returns {Room | null} */
export function roomOf(file) {
  const [top, room = '', rest] = file.split('/')
  if (top !== 'src') return null
  const name = rest === undefined && FLOWS.includes(room) ? 'flows' : room
  return name in ROWS ? /** @type {Room} */ (name) : null
}

/** @param {string} file @param {string} text @param {(edge: Edge) => void} onFile @param {(name: string, line: number) => void} onPackage */
function visitImports(file, text, onFile, onPackage) {
  for (const { specifier, line, kind } of importsOf(text)) {
    if (specifier.startsWith('.')) onFile({ from: file, to: posix.join(posix.dirname(file), specifier), line, kind })
    else if (kind === 'import') onPackage(specifier, line)
  }
}

/** @param {Edge} edge @param {Sources} sources @returns {string | null} */
function faultOfEdge({ from, to, line, kind }, sources) {
  const place = `${from}:${line}`
  if (!to.startsWith('src/'))
    return kind === 'import' && !to.endsWith('.json') ? `${place} imports ${to}, which is outside src` : null
  if (!sources.has(to)) return kind === 'import' ? `${place} imports ${to}, which does not exist` : null
  const [own, other] = [roomOf(from), roomOf(to)]
  if (!own || !other || own === other || ROWS[other] < ROWS[own]) return null
  const direction = ROWS[other] === ROWS[own] ? 'sideways' : 'upward'
  return `${place} imports ${to}: ${direction}, from ${own} (row ${ROWS[own]}) to ${other} (row ${ROWS[other]})`
}

/** @param {string} file @param {string} name @param {number} line @returns {string | null} */
function faultOfPackage(file, name, line) {
  const wall = Object.entries(WALLS).find(
    ([start]) => name === start || name.startsWith(`${start}/`) || name.startsWith(`${start}-`),
  )
  if (!wall || roomOf(file) === wall[1]) return null
  return `${file}:${line} imports ${name}, which only src/${wall[1]} may know`
}

/** Circles of files, each as its list of members (Tarjan's strongly connected components of more than one file, and files
 * that import themselves). @param {readonly Edge[]} edges @returns {string[][]} */
export function findCycles(edges) {
  /** @type {Map<string, Set<string>>} */
  const next = new Map()
  for (const { from, to } of edges) next.set(from, (next.get(from) ?? new Set()).add(to))
  /** @type {Map<string, { index: number, low: number, open: boolean }>} */
  const state = new Map()
  /** @type {string[]} */
  const stack = []
  /** @type {string[][]} */
  const cycles = []
  /** @param {string} file */
  const visit = (file) => {
    const own = { index: state.size, low: state.size, open: true }
    state.set(file, own)
    stack.push(file)
    for (const to of next.get(file) ?? []) {
      const seen = state.get(to) ?? visit(to)
      if (seen.open) own.low = Math.min(own.low, seen.low)
    }
    if (own.low === own.index) {
      const members = stack.splice(stack.indexOf(file))
      for (const m of members) Object.assign(state.get(m) ?? {}, { open: false })
      if (members.length > 1 || next.get(file)?.has(file)) cycles.push(members)
    }
    return own
  }
  for (const file of next.keys()) if (!state.has(file)) visit(file)
  return cycles
}

/** Every breach of the house rules in these sources. @param {Sources} sources @returns {{ faults: string[], warnings: string[] }} */
export function checkLayers(sources) {
  /** @type {string[]} */
  const faults = []
  /** @type {Edge[]} */
  const edges = []
  const keep = (/** @type {string | null} */ fault) => fault && faults.push(fault)
  for (const [file, text] of sources) {
    if (!file.startsWith('src/')) continue
    if (!roomOf(file)) faults.push(`${file} is in no row: add its room to ROWS in .ci/layers.mjs`)
    visitImports(
      file,
      text,
      (edge) => {
        keep(faultOfEdge(edge, sources))
        if (edge.kind === 'import' && sources.has(edge.to)) edges.push(edge)
      },
      (name, line) => keep(faultOfPackage(file, name, line)),
    )
  }
  for (const cycle of findCycles(edges)) faults.push(`import cycle among ${cycle.sort().join(', ')}`)
  const lengths = [...sources]
    .filter(([file]) => !file.startsWith(GENERATED))
    .map(([file, text]) => ({ file, lines: text.split('\n').length - 1 }))
  const tooLong = lengths.filter((l) => l.lines > MAX_LINES)
  faults.push(...tooLong.map((l) => `${l.file} has ${l.lines} lines, more than ${MAX_LINES}`))
  const long = lengths.filter((l) => l.lines > WARN_LINES && l.lines <= MAX_LINES)
  return { faults, warnings: long.map((l) => `${l.file} has ${l.lines} lines, more than ${WARN_LINES}`) }
}

/** @param {string} root @returns {Sources} */
export function readSources(root) {
  const folders = ['src', 'training', 'test', 'examples', '.ci']
  const files = folders.flatMap((folder) => filesUnder(join(root, folder))).filter((file) => /\.(ts|mjs)$/.test(file))
  return new Map(files.map((file) => [relative(root, file).replaceAll('\\', '/'), readFileSync(file, 'utf8')]))
}

/** @param {string} root */
function main(root) {
  if (!existsSync(join(root, 'src'))) throw new Error(`${root} has no src`)
  const sources = readSources(root)
  const { faults, warnings } = checkLayers(sources)
  for (const warning of warnings) process.stdout.write(`warning: ${warning}\n`)
  for (const fault of faults) process.stdout.write(`${fault}\n`)
  process.stdout.write(
    faults.length === 0 ? `${sources.size} files, every import goes down\n` : `${faults.length} breaches\n`,
  )
  process.exitCode = faults.length === 0 ? 0 : 1
}

const self = fileURLToPath(import.meta.url)
if (process.argv[1] && realpathSync(process.argv[1]) === realpathSync(self)) main(join(dirname(self), '..'))
