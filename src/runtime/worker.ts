// The worker process: serves the requests of protocol.ts one after the other. It alone loads ONNX Runtime. A request that
// fails is answered with its reason; whatever is worse ends the process, and the parent sees that.
import process from 'node:process'
import type { Feeds } from './backend.ts'
import type { Engine, Loaded } from './engine.ts'
import {
  type Answers,
  type EngineName,
  type OpenRequest,
  READY_ID,
  type ReplyMessage,
  type Request,
  type RequestMessage,
} from './protocol.ts'

const sessions = new Map<number, Loaded>()
const kept = new Map<number, Feeds>()
const engine = loadEngine(process.argv[2] as EngineName)

/** The other engine is not loaded: it costs time and memory. */
async function loadEngine(name: EngineName): Promise<Engine> {
  if (name === 'reference') return (await import('./engine-reference.ts')).referenceEngine
  return (await import('./engine-onnxruntime.ts')).onnxruntimeEngine(name)
}

function find<T>(map: ReadonlyMap<number, T>, id: number, what: string): T {
  const found = map.get(id)
  if (found === undefined) throw new Error(`internal: the worker has no ${what} ${id}`)
  return found
}

async function open(request: OpenRequest): Promise<Answers['open']> {
  const loaded = await (await engine).open(request.modelPath, request.options, request.files)
  sessions.set(request.session, loaded)
  return { inputNames: loaded.inputNames, outputNames: loaded.outputNames, warnings: loaded.warnings }
}

async function serve(request: Request): Promise<Answers[Request['kind']]> {
  switch (request.kind) {
    case 'versions':
      return (await engine).versions()
    case 'lower':
      await (await engine).lower(request.modelPath, request)
      return null
    case 'open':
      return open(request)
    case 'keep':
      kept.set(request.id, request.feeds)
      return null
    case 'forget':
      kept.delete(request.id)
      return null
    case 'run':
      return find(sessions, request.session, 'session').run(find(kept, request.feeds, 'inputs'))
    case 'time': {
      const session = find(sessions, request.session, 'session')
      return session.time(find(kept, request.feeds, 'inputs'), request.repeats, request.batch)
    }
    case 'profile':
      await find(sessions, request.session, 'session').profile(find(kept, request.feeds, 'inputs'), request.runs)
      return null
    case 'close':
      await sessions.get(request.session)?.close()
      sessions.delete(request.session)
      return null
    default:
      return request satisfies never
  }
}

function reply(message: ReplyMessage): void {
  process.send?.(message)
}

async function answer({ id, request }: RequestMessage): Promise<void> {
  try {
    reply({ id, ok: true, value: await serve(request) })
  } catch (error) {
    reply({ id, ok: false, reason: error instanceof Error ? error.message : String(error) })
  }
}

process.on('message', (message: RequestMessage) => void answer(message))
process.on('disconnect', () => process.exit())
process.on('SIGINT', () => {}) // Ctrl-C reaches the whole group; the parent decides
const ready = () => reply({ id: READY_ID, ok: true, value: null })
engine.then(ready, ready)
