// Runs the command line in this process on buffers, and small models to run it on.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from '../../src/cli/command.ts'
import { commands } from '../../src/cli/commands/index.ts'
import type { Io } from '../../src/cli/io.ts'
import { run } from '../../src/cli/run.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { namedDim } from '../../src/ir/dim.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { modelOf, writeModel } from '../../src/onnx/index.ts'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunSettings {
  readonly table?: readonly Command[]
  readonly env?: Record<string, string>
  readonly isTTY?: boolean
  readonly signal?: AbortSignal
}

/** One run of the command line on buffers, 80 columns wide. */
export async function runCli(argv: readonly string[], settings: RunSettings = {}): Promise<Ran> {
  const out: string[] = []
  const err: string[] = []
  const stream = (into: string[]) => ({
    write: (s: string) => into.push(s),
    isTTY: settings.isTTY ?? false,
    columns: 80,
  })
  const io: Io = {
    stdout: stream(out),
    stderr: stream(err),
    env: settings.env ?? {},
    signal: settings.signal ?? new AbortController().signal,
  }
  const code = await run(argv, settings.table ?? commands, io)
  return { code, stdout: out.join(''), stderr: err.join('') }
}

/** The one JSON object that stdout must hold. */
export function jsonOf(ran: Ran): Record<string, unknown> {
  if (ran.stdout.trim().split('\n').length !== 1) throw new Error(`stdout is not one line: ${ran.stdout}`)
  return JSON.parse(ran.stdout) as Record<string, unknown>
}

export interface Folder {
  readonly path: (name: string) => string
  readonly remove: () => void
}

export function makeFolder(): Folder {
  const root = mkdtempSync(join(tmpdir(), 'allotrope cli '))
  return { path: (name) => join(root, name), remove: () => rmSync(root, { recursive: true, force: true }) }
}

/** y = x @ w + b on x: [batch, 4], with an operator of a foreign domain behind it when asked. */
export function writeSmallModel(
  path: string,
  settings: { readonly foreign?: boolean; readonly bias?: number } = {},
): void {
  const opsets = new Map([
    ['', 17],
    ['com.example', 1],
  ])
  const g = new GraphBuilder('small', settings.foreign ? opsets : new Map([['', 17]]))
  const x = g.input('x', 'float32', [namedDim('batch'), 4])
  const w = g.constant(tensor('float32', [4, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), 'w')
  const b = g.constant(tensor('float32', [3], [settings.bias ?? 1, 1, 1]), 'b')
  const sum = g.node('Add', [g.node('MatMul', [x, w]), b])
  g.output(settings.foreign ? g.node('Mystery', [sum], {}, 'com.example') : sum, 'y')
  writeFileSync(path, writeModel(modelOf(g.build())))
}
