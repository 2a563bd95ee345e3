// Reads what `printGraph` writes with full weights: the same graph but for what text does not carry (encoded parts of a model
// file: foreign types, extra fields of nodes; names of nodes where they were not printed).
import type { Attribute, Attributes } from './attribute.ts'
import { addDims, type Dim, floorDivDims, maxDims, minDims, mulDims, namedDim } from './dim.ts'
import { DTYPES, type DType } from './dtype.ts'
import type { Graph, Node, Value, ValueId } from './graph.ts'
import { Scanner } from './scanner.ts'
import { isConcrete, type Shape } from './shape.ts'
import { type Tensor, type TensorType, tensor } from './tensor.ts'

const WORD = /[A-Za-z](?:[\w./]|:(?=\w))*/y
const QUOTED = /"(?:[^"\\]|\\.)*"/y
const NUMBER = /-?(?:Infinity|NaN|\d+(?:\.\d+)?(?:e[+-]?\d+)?)/y
const WHOLE = /-?\d+/y
const HEX = /[0-9a-f]*/y
const DIM_NAME = /[A-Za-z_][\w.:$/-]*/y

/** The graph that this text describes. Throws UserError, with line and column, where it is none. */
export function parseGraph(text: string): Graph {
  return new Parser(text).graph()
}

class Parser {
  private readonly s: Scanner
  private readonly values: Value[] = []
  private readonly ids = new Map<string, ValueId>()
  private readonly inputs: ValueId[] = []
  private readonly initializers = new Map<ValueId, Tensor>()
  private readonly nodes: Node[] = []

  constructor(text: string) {
    this.s = new Scanner(text)
  }

  graph(): Graph {
    this.s.require('graph')
    const name = this.name()
    const opsets = this.opsets()
    let outputs: ValueId[] | null = null
    while (!outputs) outputs = this.statement()
    if (!this.s.done) this.s.fail('the end')
    const { values, inputs, initializers, nodes } = this
    return { name, opsets, values, inputs, outputs, initializers, nodes }
  }

  private opsets(): ReadonlyMap<string, number> {
    this.s.require('(')
    const entry = (): [string, number] => {
      const domain = this.name()
      return [domain === 'opset' ? '' : domain, this.whole()]
    }
    const opsets = new Map(this.s.list(',', entry))
    this.s.require(')')
    return opsets
  }

  /** One line; the outputs if it lists them. */
  private statement(): ValueId[] | null {
    const keyword = this.s.match(/(?:input|constant|output)(?= )(?! *[:,=])/y)
    if (keyword === 'output') return this.s.list(',', () => this.known())
    if (keyword === null) this.nodes.push(this.node())
    else this.typed(keyword === 'input')
    return null
  }

  private typed(isInput: boolean): void {
    const name = this.name()
    this.s.require(':')
    const type = this.type()
    const id = this.define(name, type)
    if (isInput) this.inputs.push(id)
    if (!isInput) this.s.require('=')
    if (!isInput || this.s.accept('=')) this.initializers.set(id, this.tensor(type ?? this.s.fail('a type')))
  }

  private node(): Node {
    const names = this.s.list(',', () => (this.s.match(/_(?=[,:])/y) ? null : this.name()))
    this.s.require(':')
    const types = this.s.list(',', () => this.type())
    this.s.require('=')
    const [domain, op] = splitQualified(this.name())
    const attributes = this.s.accept('{') ? this.attributes() : {}
    this.s.require('(')
    const inputs = this.s.accept(')') ? [] : this.inputList()
    const captures = this.s.match(/captures(?= )/y) ? this.s.list(',', () => this.known()) : []
    const name = this.s.accept('@') ? this.name() : ''
    const outputs = names.map((n, i) => (n === null ? null : this.define(n, types[i] ?? null)))
    return { name, domain, op, inputs, outputs, attributes, captures }
  }

  private inputList(): (ValueId | null)[] {
    const inputs = this.s.list(',', () => (this.s.accept('-') ? null : this.known()))
    this.s.require(')')
    return inputs
  }

  private name(): string {
    const quoted = this.s.match(QUOTED)
    return quoted === null ? this.s.expect(WORD, 'a name') : (JSON.parse(quoted) as string)
  }

  private known(): ValueId {
    return this.ids.get(this.name()) ?? this.s.fail('a value that is made above')
  }

  private define(name: string, type: TensorType | null): ValueId {
    if (this.ids.has(name)) this.s.fail('a name that is not taken')
    const id = (this.values.push({ name, type }) - 1) as ValueId
    this.ids.set(name, id)
    return id
  }

  private whole(): number {
    return Number(this.s.expect(WHOLE, 'a whole number'))
  }

  private type(): TensorType | null {
    if (this.s.accept('?')) return null
    const dtype = this.dtype()
    return { dtype, shape: this.shape() }
  }

  private dtype(): DType {
    const name = this.s.expect(/[a-z]\w*/y, 'a dtype')
    return name in DTYPES ? (name as DType) : this.s.fail('a dtype')
  }

  private shape(): Shape {
    this.s.require('[')
    if (this.s.accept(']')) return []
    const dims = this.s.list(',', () => this.dim())
    this.s.require(']')
    return dims
  }

  private dim(): Dim {
    return this.s.list('+', () => this.s.list('*', () => this.factor()).reduce(mulDims)).reduce(addDims)
  }

  private factor(): Dim {
    const number = this.s.match(WHOLE)
    if (number !== null) return Number(number)
    if (this.s.accept('(')) return this.closed(() => this.dim())
    if (this.s.accept('floor(')) return this.closed(() => this.s.list('/', () => this.dim()).reduce(floorDivDims))
    if (this.s.accept('max(')) return this.closed(() => this.s.list(',', () => this.dim()).reduce(maxDims))
    if (this.s.accept('min(')) return this.closed(() => this.s.list(',', () => this.dim()).reduce(minDims))
    return namedDim(this.s.expect(DIM_NAME, 'a dimension'))
  }

  private closed<T>(inner: () => T): T {
    const value = inner()
    this.s.require(')')
    return value
  }

  private tensor({ dtype, shape }: TensorType): Tensor {
    if (!isConcrete(shape)) return this.s.fail('a shape of numbers before a constant')
    if (this.s.accept('0x')) return { dtype, shape, bytes: this.bytes() }
    this.s.require('{')
    const elements = this.s.accept('}') ? [] : this.elements()
    if (dtype === 'string') return { dtype, shape, bytes: new Uint8Array(), strings: elements.map(fromHex) }
    if (dtype === 'int64' || dtype === 'uint64') return wideTensor(dtype, shape, elements.map(BigInt))
    return tensor(dtype, shape, elements.map(Number))
  }

  private elements(): string[] {
    const element = () => this.s.match(NUMBER) ?? this.s.expect(/'[0-9a-f]*'/y, 'a number').slice(1, -1)
    const list = this.s.list(',', element)
    this.s.require('}')
    return list
  }

  private bytes(): Uint8Array {
    return fromHex(this.s.expect(HEX, 'hex digits'))
  }

  private attributes(): Attributes {
    const entry = (): [string, Attribute] => {
      const name = this.s.match(QUOTED)
      const key = name === null ? this.s.expect(/\w+/y, 'an attribute') : (JSON.parse(name) as string)
      this.s.require('=')
      return [key, this.attribute()]
    }
    const attributes = Object.fromEntries(this.s.list(',', entry))
    this.s.require('}')
    return attributes
  }

  private attribute(): Attribute {
    if (this.s.accept('tensor:')) return { kind: 'tensor', value: this.tensorAttribute() }
    if (this.s.accept('opaque:')) return { kind: 'opaque', bytes: this.bytes() }
    if (this.s.accept('bytes:')) return bytesAttribute(this.bytes())
    if (this.s.accept('[')) return this.listAttribute()
    const quoted = this.s.match(QUOTED)
    if (quoted !== null) return { kind: 'string', value: JSON.parse(quoted) as string }
    const number = this.s.expect(NUMBER, 'an attribute value')
    return this.s.accept('f') ? { kind: 'float', value: Number(number) } : { kind: 'int', value: wholeOf(number) }
  }

  private tensorAttribute(): Tensor {
    const dtype = this.dtype()
    const shape = this.shape()
    this.s.require(':')
    const bytes = this.bytes()
    const strings: Uint8Array[] = []
    // A comma starts another string, unless the name of the next attribute follows.
    for (let more = this.s.match(/,[0-9a-f]*(?=[,}])/y); more !== null; more = this.s.match(/,[0-9a-f]*(?=[,}])/y))
      strings.push(fromHex(more.slice(1)))
    const concrete = isConcrete(shape) ? shape : this.s.fail('a shape of numbers')
    return { dtype, shape: concrete, bytes, ...(dtype === 'string' && { strings }) }
  }

  private listAttribute(): Attribute {
    if (this.s.accept(']')) return this.emptyList()
    const strings = this.s.match(QUOTED)
    if (strings !== null) {
      const rest = this.s.accept(',') ? this.s.list(',', () => this.s.expect(QUOTED, 'a string')) : []
      this.s.require(']')
      return { kind: 'strings', value: [strings, ...rest].map((s) => JSON.parse(s) as string) }
    }
    const items = this.s.list(',', () => ({ text: this.s.expect(NUMBER, 'a number'), isFloat: this.s.accept('f') }))
    this.s.require(']')
    if (items[0]!.isFloat) return { kind: 'floats', value: items.map((x) => Number(x.text)) }
    return { kind: 'ints', value: items.map((x) => wholeOf(x.text)) }
  }

  private emptyList(): Attribute {
    if (this.s.accept('f')) return { kind: 'floats', value: [] }
    return this.s.accept('s') ? { kind: 'strings', value: [] } : { kind: 'ints', value: [] }
  }
}

const fromHex = (digits: string): Uint8Array => new Uint8Array(Buffer.from(digits, 'hex'))
const wholeOf = (text: string): number | bigint => (Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text))

function bytesAttribute(bytes: Uint8Array): Attribute {
  return { kind: 'string', value: new TextDecoder().decode(bytes), bytes }
}

function wideTensor(dtype: 'int64' | 'uint64', shape: readonly number[], values: readonly bigint[]): Tensor {
  const words = dtype === 'int64' ? BigInt64Array.from(values) : BigUint64Array.from(values)
  return { dtype, shape, bytes: new Uint8Array(words.buffer) }
}

function splitQualified(name: string): [domain: string, op: string] {
  const colon = name.lastIndexOf(':')
  return colon < 0 ? ['', name] : [name.slice(0, colon), name.slice(colon + 1)]
}
