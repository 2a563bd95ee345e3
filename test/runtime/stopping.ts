// Run by worker.test.ts: stops a worker whose standard error a child of its own holds a little longer, then says so.
import { WorkerProcess } from '../../src/runtime/worker-process.ts'

const holder = `import { spawn } from 'node:child_process'
spawn(process.execPath, ['-e', 'const p = process.ppid; setInterval(() => process.ppid !== p && process.exit(), 300)'], { stdio: ['ignore', 'ignore', 'inherit'], env: {} }).unref()`
const NODE_OPTIONS = `--import data:text/javascript;base64,${Buffer.from(holder).toString('base64')}`

async function main(): Promise<void> {
  const worker = new WorkerProcess('reference', { environment: { NODE_OPTIONS } })
  await worker.request({ kind: 'versions' })
  await worker.stop()
  process.stdout.write('stopped')
}

void main()
