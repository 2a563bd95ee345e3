// The user's own inputs: a folder in the layout of ONNX's test data (input_0.pb, input_1.pb, in the order of the model's
// inputs) or of .npy files named after the inputs. Its subfolders, if it has any, are more sets (test_data_set_0, ..).
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../base/errors.ts'
import type { InputShapes } from '../ir/bind.ts'
import { shapeText } from '../ir/shape.ts'
import type { Tensor } from '../ir/tensor.ts'
import { parseTensor } from '../onnx/index.ts'
import type { InputSet, InputSpec } from './inputs.ts'
import { parseNpy } from './npy.ts'

/** All sets in a folder, checked against the model. Throws UserError where a file is missing or does not fit. */
export function readInputSets(folder: string, specs: readonly InputSpec[]): readonly InputSet[] {
  return foldersOf(folder).map((f) => ({ label: f, feeds: readSet(f, specs) }))
}

/** The shapes that the first set gives to these inputs: what a model with open dimensions is bound to. */
export function readInputShapes(folder: string, names: readonly string[]): InputShapes {
  const [first] = foldersOf(folder)
  return new Map(names.map((name, i) => [name, readOne(first!, name, i).shape]))
}

/** The folder itself and its subfolders, those that hold inputs. At least one. */
function foldersOf(folder: string): readonly string[] {
  if (!existsSync(folder)) throw bad(folder, 'a folder of inputs', 'nothing there')
  if (!statSync(folder).isDirectory()) throw bad(folder, 'a folder of inputs', 'a file')
  const subfolders = readdirSync(folder, { withFileTypes: true }).filter((e) => e.isDirectory())
  const folders = [folder, ...subfolders.map((e) => join(folder, e.name)).sort()].filter(holdsInputs)
  if (folders.length === 0) throw bad(folder, 'input_0.pb or .npy files', 'neither')
  return folders
}

const holdsInputs = (folder: string): boolean =>
  readdirSync(folder).some((name) => /^input_\d+\.pb$/.test(name) || name.endsWith('.npy'))

function readSet(folder: string, specs: readonly InputSpec[]): Record<string, Tensor> {
  return Object.fromEntries(specs.map((spec, i) => [spec.name, checked(readOne(folder, spec.name, i), spec, folder)]))
}

function readOne(folder: string, name: string, index: number): Tensor {
  const npy = join(folder, `${name.replaceAll(/[\\/:]/g, '_')}.npy`)
  if (existsSync(npy)) return parseNpy(readFileSync(npy), npy)
  const pb = join(folder, `input_${index}.pb`)
  if (existsSync(pb)) return parseTensor(readFileSync(pb), pb)
  throw bad(folder, `input_${index}.pb or ${name}.npy`, 'neither')
}

function checked(t: Tensor, spec: InputSpec, folder: string): Tensor {
  const fits =
    t.dtype === spec.dtype && t.shape.length === spec.shape.length && t.shape.every((d, i) => d === spec.shape[i])
  if (fits) return t
  throw bad(`${folder}, input ${spec.name}`, `${spec.dtype}${shapeText(spec.shape)}`, `${t.dtype}${shapeText(t.shape)}`)
}

function bad(where: string, expected: string, got: string): UserError {
  const fix =
    'give one folder per set, with input_N.pb as in ONNX test data or NAME.npy for each input, at the bound shapes'
  return new UserError({ code: 'bad-inputs', where, expected, got, fix })
}
