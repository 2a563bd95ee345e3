// The printed form of a graph, for people, snapshots and diffs; `parse-text.ts` reads it back.
//
//   graph mlp (opset 20, com.microsoft 1)
//   input x: float32[batch,4]
//   constant w: float32[4,2] = {1,0,0,1,2,-1,0.5,0}
//   h: float32[batch,2] = MatMul(x, w)
//   a, _: float32[batch,1], ? = TopK {largest=0, axis=1} (h, k)
//   output a
//
// A dash is an input that is left out, an underscore an output. Names that are no plain words are quoted. With `weights:
// 'short'` a constant of more than a few elements is printed as a hash of its bytes, which cannot be read back.
import { shortHash } from '../base/hash.ts'
import { attributesKey } from './attribute.ts'
import { DTYPES } from './dtype.ts'
import { type Graph, type Node, qualifiedName, type ValueId } from './graph.ts'
import { elementCount, shapeText } from './shape.ts'
import { type Tensor, type TensorType, toNdArray, typedView } from './tensor.ts'

export interface PrintOptions {
  /** 'short' (default): values of up to 8 elements, else a hash. 'full': everything, so that it can be read back. */
  readonly weights?: 'short' | 'full'
  /** Print the names of nodes too. Default false. */
  readonly nodeNames?: boolean
}

const SHORT = 8

/** The graph as text, one line per value, ending in a newline. */
export function printGraph(graph: Graph, options: PrintOptions = {}): string {
  const full = options.weights === 'full'
  const opsets = [...graph.opsets].map(([domain, version]) => `${domain === '' ? 'opset' : quote(domain)} ${version}`)
  const lines = [`graph ${quote(graph.name)} (${opsets.join(', ')})`]
  for (const v of graph.inputs) lines.push(`input ${valueText(graph, v)}${defaultText(graph, v, full)}`)
  for (const [v, t] of graph.initializers)
    if (!graph.inputs.includes(v)) lines.push(`constant ${nameOf(graph, v)}: ${typeText(t)} = ${tensorText(t, full)}`)
  for (const node of graph.nodes) lines.push(nodeText(graph, node, options.nodeNames ?? false))
  lines.push(`output ${graph.outputs.map((v) => nameOf(graph, v)).join(', ')}`)
  return `${lines.join('\n')}\n`
}

/** Text of a name: as it is if it is a plain word, else in quotes. */
export function quote(name: string): string {
  return /^[A-Za-z](?:[\w./]|:(?=\w))*$/.test(name) ? name : JSON.stringify(name)
}

const nameOf = (graph: Graph, v: ValueId): string => quote(graph.values[v]!.name)

/** `float32[batch,4]`, or `?` where it is not known. */
export function typeText(type: TensorType | null): string {
  return type ? `${type.dtype}${shapeText(type.shape)}` : '?'
}

const valueText = (graph: Graph, v: ValueId): string => `${nameOf(graph, v)}: ${typeText(graph.values[v]!.type)}`

function defaultText(graph: Graph, v: ValueId, full: boolean): string {
  const t = graph.initializers.get(v)
  return t ? ` = ${tensorText(t, full)}` : ''
}

function nodeText(graph: Graph, node: Node, withName: boolean): string {
  const names = node.outputs.map((v) => (v === null ? '_' : nameOf(graph, v)))
  const types = node.outputs.map((v) => typeText(v === null ? null : graph.values[v]!.type))
  const inputs = node.inputs.map((v) => (v === null ? '-' : nameOf(graph, v)))
  const attributes = Object.keys(node.attributes).length > 0 ? ` {${attributesKey(node.attributes)}} ` : ''
  const captures = node.captures.length > 0 ? ` captures ${node.captures.map((v) => nameOf(graph, v)).join(', ')}` : ''
  const name = withName ? ` @ ${quote(node.name)}` : ''
  const operator = quote(qualifiedName(node.domain, node.op))
  return `${names.join(', ')}: ${types.join(', ')} = ${operator}${attributes}(${inputs.join(', ')})${captures}${name}`
}

/** Elements in braces; bytes in hex digits where numbers would not say all: packed types, and NaN, of which there are many. */
function tensorText(t: Tensor, full: boolean): string {
  const count = elementCount(t.shape)
  if (!full && count > SHORT) return `#${shortHash(t.strings ? Buffer.concat(t.strings) : t.bytes)}`
  if (t.strings) return `{${t.strings.map((s) => `'${hex(s)}'`).join(',')}}`
  const { kind } = DTYPES[t.dtype]
  if (kind === 'int') return `{${Array.from(typedView(t) as Iterable<number | bigint>, String).join(',')}}`
  if (kind === 'bool' || kind === 'float') {
    const { data } = toNdArray(t)
    if (!full || !data.some(Number.isNaN)) return `{${Array.from(data, numberText).join(',')}}`
  }
  return `0x${hex(t.bytes)}`
}

const numberText = (x: number): string => (Object.is(x, -0) ? '-0' : String(x))
const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
