// Reads ONNX Runtime's profile: a JSON list of events. Kept are the kernels of the last runs, in order of execution; events of
// nodes inside If, Loop and Scan are dropped, because the node around them holds their time. Where a GPU wrote its own time
// stamps (WebGPU with timestamp queries), a kernel's time is that of its GPU programs; the host's event is only its launch.
import { UserError } from '../base/errors.ts'
import { DTYPES, type DType } from '../ir/dtype.ts'

/** A type that was seen: dtype and numbers. */
export interface ConcreteType {
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** One execution of one kernel. */
export interface KernelEvent {
  readonly name: string
  readonly op: string
  readonly provider: string
  readonly micros: number
  readonly outputs: readonly ConcreteType[]
}

/** The kernels of each run. */
export type ProfiledRuns = readonly (readonly KernelEvent[])[]

const KERNEL_SUFFIX = '_kernel_time'
/** Operators that run graphs of their own. */
const CONTAINERS: ReadonlySet<string> = new Set(['If', 'Loop', 'Scan', 'BeamSearch', 'GreedySearch', 'Sampling'])

interface RawEvent {
  readonly cat: string
  readonly name: string
  readonly dur: number
  readonly ts: number
  readonly args: Readonly<Record<string, unknown>>
}
interface Timed extends KernelEvent {
  readonly start: number
  readonly end: number
}

/** The last `runs` runs of a profile. Throws UserError for text that is no such profile. */
export function readProfile(text: string, runs: number): ProfiledRuns {
  const events = parseEvents(text)
  const all = splitRuns(events)
  if (all.length < runs) throw badProfile(`${runs} runs`, `${all.length}`)
  return gpuTimes(events, all).slice(-runs)
}

function badProfile(expected: string, got: string): UserError {
  return new UserError({
    code: 'bad-profile',
    where: 'profile of ONNX Runtime',
    expected,
    got,
    fix: 'use onnxruntime-node 1.30, whose profiles this version reads',
  })
}

function parseEvents(text: string): readonly RawEvent[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw badProfile('JSON', error instanceof Error ? error.message : String(error))
  }
  if (!Array.isArray(json) || !json.every(isEvent)) throw badProfile('a list of events', 'something else')
  return json
}

function isEvent(e: unknown): e is RawEvent {
  const has = (name: string, type: string) => typeof Reflect.get(e as object, name) === type
  return (
    typeof e === 'object' &&
    e !== null &&
    has('cat', 'string') &&
    has('name', 'string') &&
    has('dur', 'number') &&
    has('ts', 'number') &&
    has('args', 'object')
  )
}

/** Each run's `model_run` event is written after the events of its kernels. */
function splitRuns(events: readonly RawEvent[]): Timed[][] {
  const runs: Timed[][] = []
  let open: Timed[] = []
  for (const e of events) {
    if (e.cat === 'Node' && e.name.endsWith(KERNEL_SUFFIX)) open.push(timed(e))
    else if (e.cat === 'Session' && e.name === 'model_run') {
      runs.push(withoutNested(open))
      open = []
    }
  }
  return runs
}

function timed(e: RawEvent): Timed {
  return {
    name: e.name.slice(0, -KERNEL_SUFFIX.length),
    op: String(e.args.op_name),
    provider: String(e.args.provider),
    micros: e.dur,
    outputs: typesOf(e.args.output_type_shape),
    start: e.ts,
    end: e.ts + e.dur,
  }
}

/** `[{"float":[1,64]}, ..]`; empty where an element type is not known, so that positions are never mixed up. */
function typesOf(list: unknown): readonly ConcreteType[] {
  if (!Array.isArray(list)) return []
  const types = list.flatMap((entry: object) => Object.entries(entry)).map(([name, shape]) => concreteType(name, shape))
  return types.every((t) => t !== null) ? types : []
}

function concreteType(name: string, shape: unknown): ConcreteType | null {
  const dtype = name === 'float' ? 'float32' : name === 'double' ? 'float64' : name
  return dtype in DTYPES && Array.isArray(shape) ? { dtype: dtype as DType, shape } : null
}

/** An event is nested if a container that was written later covers it. */
function withoutNested(events: readonly Timed[]): Timed[] {
  const kept: Timed[] = []
  for (const e of events) {
    if (CONTAINERS.has(e.op)) while (kept.length > 0 && kept.at(-1)!.start >= e.start) kept.pop()
    kept.push(e)
  }
  return kept
}

/** Puts the GPU's own times in place of the launches, if there are any. GPU events come in the order of their launch, each
 * labelled `node name&operator&program`, an unnamed node with an empty name. */
function gpuTimes(events: readonly RawEvent[], runs: readonly (readonly Timed[])[]): ProfiledRuns {
  const programs = events.filter((e) => e.cat === 'Api' && e.name.split('&').length === 3)
  if (programs.length === 0) return runs
  const sequence = runs.flat()
  const micros = sequence.map((k) => (k.provider === 'CPUExecutionProvider' ? k.micros : 0))
  let at = 0
  let seen = new Set<string>()
  for (const p of programs) {
    const [name, op, program] = p.name.split('&') as [string, string, string]
    const from = seen.has(program) && launches(sequence[at + 1], name, op) ? at + 1 : at
    const found = sequence.findIndex((k, i) => i >= from && launches(k, name, op))
    if (found < 0) throw badProfile('a kernel for every GPU program', `none for ${p.name}`)
    if (found !== at) seen = new Set()
    at = found
    seen.add(program)
    micros[at]! += p.dur
  }
  return regroup(
    sequence.map((k, i) => ({ ...k, micros: micros[i]! })),
    runs,
  )
}

const launches = (k: KernelEvent | undefined, name: string, op: string): boolean =>
  k !== undefined && k.op === op && (k.name === name || (name === '' && /^\d+$/.test(k.name.slice(op.length + 1))))

function regroup(sequence: readonly KernelEvent[], runs: readonly (readonly unknown[])[]): ProfiledRuns {
  let from = 0
  return runs.map((run) => {
    from += run.length
    return sequence.slice(from - run.length, from)
  })
}
