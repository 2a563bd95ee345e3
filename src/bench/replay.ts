// What shows that a model is wrong, on disk: the model, the inputs and the right outputs in the layout of ONNX's test data, the
// outputs that it gave instead, and how to see it again.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeTensor, type Model, writeModelFile } from '../onnx/index.ts'
import type { Feeds } from '../runtime/index.ts'
import type { Witness } from './verify.ts'

export const REPLAY = { model: 'model.onnx', inputs: 'test_data_set_0', got: 'got', text: 'replay.txt' } as const

/** Writes the folder, which must not exist yet. `text`: for whoever finds it. */
export function writeReplay(folder: string, model: Model, { set, expected, got }: Witness, text: string): void {
  const inputs = join(folder, REPLAY.inputs)
  mkdirSync(inputs, { recursive: true })
  writeModelFile(join(folder, REPLAY.model), model)
  writeTensors(inputs, 'input', set.feeds)
  writeTensors(inputs, 'output', expected)
  if (got !== null) {
    mkdirSync(join(folder, REPLAY.got))
    writeTensors(join(folder, REPLAY.got), 'output', got)
  }
  writeFileSync(join(folder, REPLAY.text), text)
}

/** `input_0.pb`, `input_1.pb`, in the model's order. */
function writeTensors(folder: string, kind: 'input' | 'output', tensors: Feeds): void {
  for (const [i, [name, t]] of Object.entries(tensors).entries())
    writeFileSync(join(folder, `${kind}_${i}.pb`), encodeTensor(t, name))
}
