// The `code` of an FX graph: the Python function that torch.fx generates, freed values included
// (`add = x + y;  x = y = None`). Source: torch/fx/graph.py, CodeGen._gen_python_code.
import { UnsupportedError } from '../base/errors.ts'
import { type FxArg, type FxGraph, type FxNode, inputsOf, namesIn } from './fx-graph.ts'
import { reprArg } from './fx-print.ts'
import { isIdentifier, isKeyword, stringText } from './python-text.ts'

/** Templates of the functions of Python's `operator` module that have a sign. */
const OPERATORS: Readonly<Record<string, string>> = {
  add: '{} + {}',
  sub: '{} - {}',
  mul: '{} * {}',
  floordiv: '{} // {}',
  truediv: '{} / {}',
  div: '{} / {}',
  mod: '{} % {}',
  pow: '{} ** {}',
  lshift: '{} << {}',
  rshift: '{} >> {}',
  and_: '{} & {}',
  or_: '{} | {}',
  xor: '{} ^ {}',
  getitem: '{}[{}]',
  matmul: '{} @ {}',
  eq: '{} == {}',
  ne: '{} != {}',
  lt: '{} < {}',
  gt: '{} > {}',
  le: '{} <= {}',
  ge: '{} >= {}',
  pos: '+{}',
  neg: '-{}',
  invert: '~{}',
}
const INPLACE: Readonly<Record<string, string>> = {
  iadd: '+=',
  iand: '&=',
  ifloordiv: '//=',
  ilshift: '<<=',
  imod: '%=',
  imul: '*=',
  imatmul: '@=',
  ior: '|=',
  ipow: '**=',
  irshift: '>>=',
  isub: '-=',
  itruediv: '/=',
  ixor: '^=',
}

/** `def forward(self, x, y): ..`, as torch.fx writes it, without blank lines around. */
export function forwardCode(graph: FxGraph): string {
  const freed = lastUses(graph)
  const lines = graph.nodes
    .filter((n) => n.opcode !== 'placeholder')
    .map((n) => `    ${statement(n)}${tail(freed.get(n.name) ?? [])}`)
  const renamed = graph.nodes.filter((n) => n.opcode === 'placeholder' && plainTarget(n) !== n.name)
  const bindings = renamed.map((n) => `    ${n.name} = ${plainTarget(n)}`)
  return [header(graph), ...bindings, ...lines, `    return ${reprArg(graph.result)}`].join('\n')
}

function header(graph: FxGraph): string {
  const inputs = graph.nodes.filter((n) => n.opcode === 'placeholder').map(parameter)
  const returns = graph.returnType ? ` -> ${graph.returnType}` : ''
  return `def forward(${['self', ...inputs].join(', ')})${returns}:`
}

function parameter(n: FxNode): string {
  return `${n.target}${n.type ? ` : ${n.type}` : ''}${n.args.length > 0 ? ` = ${reprArg(n.args[0]!)}` : ''}`
}

/** The placeholder's own spelling: `*args` binds `args`. */
function plainTarget(n: FxNode): string {
  const name = n.target.replace(/^\*+/, '')
  if (!isIdentifier(name))
    throw new UnsupportedError(`input name ${n.target}${isKeyword(name) ? ', a Python keyword' : ''}`)
  return name
}

function tail(names: readonly string[]): string {
  return names.length === 0 ? '' : `;  ${[...names, 'None'].join(' = ')}`
}

/** Values to free after each node: those it is the last to read, and itself if nobody reads it. */
function lastUses(graph: FxGraph): Map<string, string[]> {
  const seen = new Set(namesIn(graph.result))
  const freed = new Map<string, string[]>()
  for (const n of graph.nodes.toReversed()) {
    const last = inputsOf(n).filter((name) => !seen.has(name))
    freed.set(n.name, seen.has(n.name) ? last : [...last, n.name])
    for (const name of last) seen.add(name)
  }
  return freed
}

function statement(n: FxNode): string {
  const left = n.type ? `${n.name} : ${n.type}` : n.name
  switch (n.opcode) {
    case 'get_attr':
      return `${left} = ${attribute('self', n.target)}`
    case 'call_module':
      return `${left} = ${attribute('self', n.target)}(${argumentsText(n.args, n.kwargs)})`
    case 'call_method':
      return `${left} = ${attribute(reprArg(n.args[0]!), n.target)}(${argumentsText(n.args.slice(1), n.kwargs)})`
    case 'call_function':
      return callFunction(n, left)
    case 'placeholder':
      throw new UnsupportedError('a placeholder inside the body')
    default:
      return n.opcode satisfies never
  }
}

function callFunction(n: FxNode, left: string): string {
  const [module, name] = [n.target.slice(0, n.target.lastIndexOf('.')), n.target.slice(n.target.lastIndexOf('.') + 1)]
  const operands = n.args.map(reprArg)
  const template = module === 'operator' && n.kwargs.length === 0 ? OPERATORS[name] : undefined
  if (template) return `${left} = ${fill(template, operands)}`
  if (module === 'operator' && INPLACE[name])
    return `${operands[0]} ${INPLACE[name]} ${operands[1]};  ${left} = ${operands[0]}`
  const attributeName = n.args[1]
  if (n.target === 'builtins.getattr' && n.args.length === 2 && attributeName?.kind === 'string') {
    return `${left} = ${attribute(operands[0]!, attributeName.value)}`
  }
  return `${left} = ${functionName(n.target)}(${argumentsText(n.args, n.kwargs)})`
}

function fill(template: string, operands: readonly string[]): string {
  let next = 0
  return template.replaceAll('{}', () => operands[next++] ?? '')
}

/** The name that a function has inside generated code: torch's own stay qualified, builtins are bare, others are joined by underscores. */
export function functionName(target: string): string {
  if (target.startsWith('torch.')) return target
  if (target.startsWith('builtins.')) return target.slice('builtins.'.length)
  return target.replaceAll('.', '_')
}

/** `from math import sqrt as math_sqrt` for every function that is neither torch's nor a sign nor a builtin. */
export function importsOf(graph: FxGraph): string[] {
  const targets = graph.nodes.filter((n) => n.opcode === 'call_function').map((n) => n.target)
  const foreign = targets.filter((t) => !/^(torch|builtins)\./.test(t) && !isSign(t))
  return [...new Set(foreign)].sort().map((t) => {
    const at = t.lastIndexOf('.')
    return `from ${t.slice(0, at)} import ${t.slice(at + 1)} as ${functionName(t)}`
  })
}

function isSign(target: string): boolean {
  const name = target.startsWith('operator.') ? target.slice('operator.'.length) : ''
  return name in OPERATORS || name in INPLACE
}

function argumentsText(args: readonly FxArg[], kwargs: FxNode['kwargs']): string {
  return [
    ...args.map(reprArg),
    ...kwargs.map(([k, v]) => `${k} = ${k === 'device' ? deviceText(v) : reprArg(v)}`),
  ].join(', ')
}

/** The text of a graph shows a device as `cuda:0`; code makes it a device again. */
function deviceText(arg: FxArg): string {
  if (arg.kind !== 'string') return reprArg(arg)
  const [type, index] = arg.value.split(':')
  return `device(type=${stringText(type!)}${index === undefined ? '' : `, index=${index}`})`
}

/** `self.layers.0.weight` with what is no identifier through getattr. */
function attribute(base: string, path: string): string {
  return path
    .split('.')
    .reduce((r, part) => (/^[A-Za-z_]\w*$/.test(part) ? `${r}.${part}` : `getattr(${r}, "${part}")`), base)
}
