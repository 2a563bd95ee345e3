// A torch program as one Python file that runs with PyTorch alone: the class, its weights (written out where they are few,
// read from a safetensors file beside it otherwise) and `forward` as torch.fx writes it.
import { UnsupportedError } from '../base/errors.ts'
import { isFloat } from '../ir/dtype.ts'
import { type Tensor, toNdArray } from '../ir/tensor.ts'
import type { TorchProgram } from './export.ts'
import { torchOfDtype } from './import/item.ts'
import { forwardCode, importsOf } from './python-code.ts'
import { float32Text, floatText, isIdentifier, stringText } from './python-text.ts'

export interface ModuleSource {
  /** The Python file. */
  readonly source: string
  /** Weights that the file reads; empty if it reads none. Write them with `writeSafetensors` under `weightsFile`. */
  readonly weights: ReadonlyMap<string, Tensor>
}

export interface SourceOptions {
  /** Default `Model`. */
  readonly className?: string
  /** Name of the weights file, read from the folder of the Python file; default `weights.safetensors`. */
  readonly weightsFile?: string
  /** Weights of at most this many elements are written out; default 16. */
  readonly inlineElements?: number
}

/** Throws UnsupportedError where the program calls modules that are not in it. */
export function moduleSource(program: TorchProgram, options: SourceOptions = {}): ModuleSource {
  const called = program.graph.nodes.find((n) => n.opcode === 'call_module')
  if (called) throw new UnsupportedError(`module ${called.target} as source: what it does is not in the graph`)
  const limit = options.inlineElements ?? 16
  const [few, many] = partition([...program.weights], ([, t]) => toCount(t) <= limit)
  const weightsFile = options.weightsFile ?? 'weights.safetensors'
  const parts = [
    header(program, many.length > 0),
    many.length > 0 ? LOADER : '',
    classText(program, options.className ?? 'Model', few, many.length > 0 ? weightsFile : null),
  ]
  return { source: `${parts.filter((p) => p !== '').join('\n\n\n')}\n`, weights: new Map(many) }
}

const toCount = (t: Tensor) => t.shape.reduce((n, d) => n * d, 1)

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((i) => !test(i))]
}

function header(program: TorchProgram, loads: boolean): string {
  const standard = loads ? ['import json', 'import os', ''] : []
  return [
    '"""Written by Allotrope."""',
    ...standard,
    ...importsOf(program.graph),
    'from math import inf, nan  # noqa: F401',
    '',
    'import torch',
    'from torch import device  # noqa: F401',
  ].join('\n')
}

const LOADER = `DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}


def read_weights(path):
    """Tensors of a safetensors file, by name."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = bytearray(file.read())
    weights = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            flat = torch.frombuffer(data[start:end] or bytearray(8), dtype=DTYPES[entry["dtype"]])
            weights[name] = (flat if end > start else flat[:0]).reshape(entry["shape"])
    return weights`

function classText(
  program: TorchProgram,
  className: string,
  few: readonly (readonly [string, Tensor])[],
  weightsFile: string | null,
): string {
  if (!isIdentifier(className)) throw new UnsupportedError(`class name ${className}`)
  const buffers = few.map(([name, t]) => `        self.register_buffer(${stringText(name)}, ${tensorText(t)})`)
  const loading = [
    `        folder = os.path.dirname(os.path.abspath(__file__))`,
    `        for name, value in read_weights(os.path.join(folder, ${stringText(weightsFile ?? '')})).items():`,
    '            self.register_buffer(name, value)',
  ]
  const body = forwardCode(program.graph)
    .split('\n')
    .map((line) => `    ${line}`)
  return [
    `class ${className}(torch.nn.Module):`,
    '    def __init__(self):',
    '        super().__init__()',
    ...buffers,
    ...(weightsFile === null ? [] : loading),
    '',
    ...body,
  ].join('\n')
}

function tensorText(t: Tensor): string {
  const { data } = toNdArray(t)
  const text = (x: number) =>
    t.dtype === 'bool' ? (x === 0 ? 'False' : 'True') : isFloat(t.dtype) ? numberText(x, t) : String(x)
  const flat = `torch.tensor([${Array.from(data, text).join(', ')}], dtype=${torchOfDtype(t.dtype)})`
  return t.shape.length === 1 ? flat : `${flat}.reshape(${t.shape.length === 0 ? '()' : t.shape.join(', ')})`
}

function numberText(x: number, t: Tensor): string {
  return t.dtype === 'float64' ? floatText(x) : float32Text(x)
}
