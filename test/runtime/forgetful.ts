// Run by worker.test.ts: opens a session, prints the worker's process id, and ends without closing anything.
import { OnnxruntimeBackend } from '../../src/runtime/index.ts'

async function main(): Promise<void> {
  const backend = new OnnxruntimeBackend('cpu')
  await backend.open(process.argv[2]!, { threads: 1, optimization: 'all' })
  const [pid] = await backend.pids()
  process.stdout.write(String(pid))
}

void main()
