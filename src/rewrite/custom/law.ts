// Laws as users write them: two terms over ONNX operators, such as
//   Sqrt(Mul(x, x)) => Abs(x)
//   MatMul(Softmax{axis=-1}(x), w) <=> ..
// A lower-case name is a variable, a number a scalar of its neighbours' dtype, [1, 2] a vector of int64, float32[2]{0.5, 2} a
// tensor, and a dash an input that is left out. Operators mean what they mean at LAW_OPSET.
import { UserError } from '../../base/errors.ts'
import type { Attribute, Attributes } from '../../ir/attribute.ts'
import { DTYPES, type DType } from '../../ir/dtype.ts'
import { findOp } from '../../ir/ops/index.ts'
import { Scanner } from '../../ir/scanner.ts'
import { elementCount } from '../../ir/shape.ts'
import { type Tensor, tensor } from '../../ir/tensor.ts'
import { DEFAULT_OPSET } from '../../onnx/opset.ts'
import { attributeOf } from '../spellings.ts'

/** The opset that laws are written for. */
export const LAW_OPSET = DEFAULT_OPSET

export interface CallTerm {
  readonly kind: 'call'
  readonly op: string
  readonly attributes: Attributes
  /** null: left out. */
  readonly args: readonly (Term | null)[]
}

export type Term =
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'tensor'; readonly tensor: Tensor }
  | CallTerm

export interface Sides {
  readonly left: Term
  readonly right: Term
  /** `<=>`: the rule is used from right to left as well. */
  readonly bothWays: boolean
}

const NAME = /[A-Za-z_]\w*/y
const NUMBER = /-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|inf|nan)(?!\w)/y
const WHOLE = /-?\d+/y
const OMITTED = /-(?=\s*[,)])/y
const QUOTED = /"(?:[^"\\]|\\.)*"/y

/** Reads a law. `where` names it in complaints. Throws UserError where it is none. */
export function parseLaw(text: string, where: string): Sides {
  const parser = new LawParser(text, where)
  return parser.sides()
}

class LawParser {
  private readonly s: Scanner
  private readonly where: string

  constructor(text: string, where: string) {
    this.s = new Scanner(text, where, 'write a law as Op{attribute=1}(x, y) => Op(..)')
    this.where = where
  }

  sides(): Sides {
    const left = this.term()
    const bothWays = this.s.accept('<=>')
    if (!bothWays) this.s.require('=>')
    const right = this.term()
    if (!this.s.done) this.s.fail('the end')
    return { left, right, bothWays }
  }

  private term(): Term {
    if (this.s.accept('[')) return { kind: 'tensor', tensor: vector(this.numbers(']')) }
    const number = this.s.match(NUMBER)
    if (number !== null) return { kind: 'number', value: toNumber(number) }
    const name = this.s.expect(NAME, 'an operator, a variable or a number')
    if (name in DTYPES && this.s.accept('[')) return { kind: 'tensor', tensor: this.tensor(name as DType) }
    const attributes = this.s.accept('{') ? this.attributes(name) : null
    if (attributes === null && !this.s.accept('(')) return this.variable(name)
    if (attributes !== null) this.s.require('(')
    return this.call(name, attributes ?? {})
  }

  private variable(name: string): Term {
    if (/^[a-z_]/.test(name)) return { kind: 'variable', name }
    return this.s.fail(`'(' after the operator ${name}; names of variables begin with a small letter`)
  }

  private call(op: string, attributes: Attributes): CallTerm {
    this.operator(op)
    const args = this.s.accept(')') ? [] : this.s.list(',', () => (this.s.match(OMITTED) ? null : this.term()))
    if (args.length > 0) this.s.require(')')
    return { kind: 'call', op, attributes, args }
  }

  private operator(op: string) {
    const record = findOp('', op)
    const known = record && record.deterministic !== false && record.sinceOpset <= LAW_OPSET
    if (known) return record
    const got = record ? `${op}, which is random or newer` : op
    throw lawFault('unknown-operator', this.where, `a deterministic ONNX operator of opset ${LAW_OPSET}`, got)
  }

  private attributes(op: string): Attributes {
    const entry = () => {
      const name = this.s.expect(NAME, 'an attribute')
      this.s.require('=')
      return [name, this.attribute(op, name)] as const
    }
    const attributes = Object.fromEntries(this.s.list(',', entry))
    this.s.require('}')
    return attributes
  }

  private attribute(op: string, name: string): Attribute {
    const { attributes } = this.operator(op)
    const spec = attributes[name]
    const names = Object.keys(attributes).join(', ') || 'none'
    if (!spec) throw lawFault('bad-rule', this.where, `an attribute of ${op}: ${names}`, name)
    const value = this.value()
    return attributeOf(spec, value) ?? lawFaultNow(this.where, `${op}.${name} as ${spec.kind}`, JSON.stringify(value))
  }

  private value(): number | string | readonly number[] {
    const quoted = this.s.match(QUOTED)
    if (quoted !== null) return JSON.parse(quoted) as string
    return this.s.accept('[') ? this.numbers(']') : toNumber(this.s.expect(NUMBER, 'a value'))
  }

  private tensor(dtype: DType): Tensor {
    const shape = this.s.accept(']') ? [] : this.s.list(',', () => Number(this.s.expect(WHOLE, 'a size')))
    if (shape.length > 0) this.s.require(']')
    this.s.require('{')
    const values = this.numbers('}')
    if (values.length !== elementCount(shape)) this.s.fail(`${elementCount(shape)} elements before this`)
    return tensor(dtype, shape, values)
  }

  private numbers(end: string): number[] {
    if (this.s.accept(end)) return []
    const list = this.s.list(',', () => toNumber(this.s.expect(NUMBER, 'a number')))
    this.s.require(end)
    return list
  }
}

const toNumber = (text: string): number => Number(text.replace('inf', 'Infinity').replace('nan', 'NaN'))
const vector = (values: readonly number[]): Tensor => tensor('int64', [values.length], values)

/** A complaint about a rule in a file. */
export function lawFault(
  code: string,
  where: string,
  expected: string,
  got: string,
  fix = 'correct the rule',
): UserError {
  return new UserError({ code, where, expected, got, fix })
}
function lawFaultNow(where: string, expected: string, got: string): never {
  throw lawFault('bad-rule', where, expected, got)
}

/** The variables of a term, in order of first occurrence. */
export function variablesOf(term: Term | null): readonly string[] {
  if (term?.kind === 'variable') return [term.name]
  if (term?.kind !== 'call') return []
  return [...new Set(term.args.flatMap(variablesOf))]
}

/** Names of the operators in a term, as often as they stand in it. */
export function operatorsOf(term: Term | null): readonly string[] {
  return term?.kind === 'call' ? [term.op, ...term.args.flatMap(operatorsOf)] : []
}
