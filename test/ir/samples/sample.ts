// Sample calls of operators, for the checks that every record must pass. Inputs are written as text, one word each:
//   f[2,3]        random float32        p: positive   u: in (-0.9, 0.9)   g: above 1   z: float64
//   i[4] k[4]     random int64, int32   w: uint8   b: bool
//   i[2]=1,3      these values          !..: a constant of the graph      -: left out
import { createRandom, type Random } from '../../../src/base/random.ts'
import type { Attributes } from '../../../src/ir/attribute.ts'
import type { DType } from '../../../src/ir/dtype.ts'
import { qualifiedName } from '../../../src/ir/graph.ts'
import type { ConcreteCall } from '../../../src/ir/op.ts'
import { elementCount } from '../../../src/ir/shape.ts'
import { fromNdArray, type NdArray } from '../../../src/ir/tensor.ts'

export interface Sample {
  readonly op: string
  readonly domain: string
  readonly opset: number
  readonly inputs: string
  readonly attributes: Attributes
  readonly outputs: number
}
export interface Input {
  readonly array: NdArray
  readonly constant: boolean
}
export interface Options {
  readonly opset?: number
  readonly outputs?: number
  readonly domain?: string
}

/** Opset of samples that name none: the newest that ONNX Runtime 1.30 knows. */
const OPSET = 23

export function sample(op: string, inputs: string, attributes: Attributes = {}, options: Options = {}): Sample {
  return {
    op,
    inputs,
    attributes,
    domain: options.domain ?? '',
    opset: options.opset ?? OPSET,
    outputs: options.outputs ?? 1,
  }
}

/** One sample per list of inputs. */
export function samplesOf(names: string, ...inputs: readonly string[]): readonly Sample[] {
  return names.split(' ').flatMap((op) => inputs.map((i) => sample(op, i)))
}

export function sampleText(s: Sample): string {
  const attributes = Object.entries(s.attributes).map(
    ([k, a]) => `${k}=${JSON.stringify(a.kind === 'opaque' || a.kind === 'tensor' ? a.kind : a.value)}`,
  )
  return `${qualifiedName(s.domain, s.op)}-${s.opset}(${s.inputs})${attributes.length > 0 ? ` {${attributes.join(' ')}}` : ''}`
}

interface Kind {
  readonly dtype: DType
  readonly draw: (r: Random) => number
}
const KINDS: Readonly<Record<string, Kind>> = {
  f: { dtype: 'float32', draw: (r) => r.normal() },
  p: { dtype: 'float32', draw: (r) => 0.1 + 2 * r.next() },
  u: { dtype: 'float32', draw: (r) => 1.8 * (r.next() - 0.5) },
  g: { dtype: 'float32', draw: (r) => 1 + 2 * r.next() },
  z: { dtype: 'float64', draw: (r) => r.normal() },
  i: { dtype: 'int64', draw: (r) => r.below(19) - 9 },
  k: { dtype: 'int32', draw: (r) => r.below(19) - 9 },
  w: { dtype: 'uint8', draw: (r) => r.below(200) },
  e: { dtype: 'int8', draw: (r) => r.below(200) - 100 },
  b: { dtype: 'bool', draw: (r) => r.below(2) },
}

function readInput(word: string, random: Random): Input | null {
  if (word === '-') return null
  const match = /^(!?)([a-z])\[([\d,]*)\](?:=(.*))?$/.exec(word)
  const kind = match && KINDS[match[2]!]
  if (!match || !kind) throw new Error(`sample input ${word}`)
  const shape = match[3] === '' ? [] : match[3]!.split(',').map(Number)
  const data =
    match[4] === undefined
      ? Float64Array.from({ length: elementCount(shape) }, () => kind.draw(random))
      : Float64Array.from(match[4] === '' ? [] : match[4].split(','), Number)
  if (data.length !== elementCount(shape)) throw new Error(`sample input ${word}`)
  return { array: { dtype: kind.dtype, shape, data }, constant: match[1] === '!' }
}

/** The inputs of a sample; another seed, other random values. */
export function inputsOf(s: Sample, seed = 1): readonly (Input | null)[] {
  const random = createRandom(seed)
  return s.inputs === '' ? [] : s.inputs.split(' ').map((word) => readInput(word, random))
}

export const arraysOf = (inputs: readonly (Input | null)[]): (NdArray | null)[] => inputs.map((i) => i?.array ?? null)

/** The call of a sample on these inputs. */
export function callOfSample(
  s: Sample,
  inputs: readonly (Input | null)[],
  attributes: Attributes = s.attributes,
): ConcreteCall {
  const constants = inputs.map((i) => (i?.constant ? fromNdArray(i.array) : null))
  return {
    domain: s.domain,
    op: s.op,
    opset: s.opset,
    attributes,
    inputs: inputs.map((i) => i && { dtype: i.array.dtype, shape: i.array.shape }),
    outputCount: s.outputs,
    constants,
    contents: inputs.map((i) => {
      const small = i?.constant && i.array.shape.length <= 1 && !i.array.dtype.startsWith('float')
      return small ? Array.from(i.array.data) : null
    }),
  }
}
