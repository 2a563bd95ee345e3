// Patterns: terms with variables, read from text such as `(+ ?a (* ?b 2))`. A name is an operator as its table prints it:
// `family` or `family[key]`.
import { UserError } from '../base/errors.ts'
import type { OpId } from './ids.ts'
import type { OperatorTable } from './operators.ts'

export type Pattern =
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'term'; readonly op: OpId; readonly children: readonly Pattern[] }

/** Finds the operator that a name in a pattern means, or -1. */
export type OperatorResolver = (name: string) => OpId | -1

/** Names as `OperatorTable.name` prints them; operators must be interned already. */
export function resolveIn<P>(operators: OperatorTable<P>): OperatorResolver {
  return (name) => {
    const bracket = name.endsWith(']') ? name.indexOf('[') : -1
    if (bracket < 0) return operators.lookup(name, '')
    return operators.lookup(name.slice(0, bracket), name.slice(bracket + 1, -1))
  }
}

/** Reads one pattern. Throws a UserError that names the place. */
export function parsePattern(text: string, resolve: OperatorResolver): Pattern {
  const tokens = text.match(/[()]|[^\s()]+/g) ?? []
  let at = 0
  const fail = (expected: string): never => {
    const got = at < tokens.length ? `"${tokens[at]}"` : 'the end'
    throw new UserError({
      code: 'bad-pattern',
      where: `pattern "${text}", token ${at + 1}`,
      expected,
      got,
      fix: 'write terms as (operator child ...) and variables as ?name',
    })
  }
  const operator = (): OpId => {
    const token = tokens[at]
    if (token === undefined || token === '(' || token === ')' || token.startsWith('?')) return fail('an operator')
    const op = resolve(token)
    if (op === -1) return fail('an operator that is in the table')
    at++
    return op
  }
  const pattern = (): Pattern => {
    const token = tokens[at]
    if (token === undefined || token === ')') return fail('a pattern')
    if (token.startsWith('?')) {
      at++
      return { kind: 'variable', name: token }
    }
    if (token !== '(') return { kind: 'term', op: operator(), children: [] }
    at++
    const op = operator()
    const children: Pattern[] = []
    while (tokens[at] !== ')') children.push(pattern())
    at++
    return { kind: 'term', op, children }
  }
  const whole = pattern()
  if (at < tokens.length) fail('the end')
  return whole
}

/** The variables in order of first occurrence. */
export function variablesOf(pattern: Pattern): string[] {
  const names = new Set<string>()
  const visit = (p: Pattern): void => {
    if (p.kind === 'variable') names.add(p.name)
    else p.children.forEach(visit)
  }
  visit(pattern)
  return [...names]
}

/** The text that `parsePattern` reads. */
export function printPattern<P>(pattern: Pattern, operators: OperatorTable<P>): string {
  if (pattern.kind === 'variable') return pattern.name
  const name = operators.name(pattern.op)
  if (pattern.children.length === 0) return name
  return `(${[name, ...pattern.children.map((child) => printPattern(child, operators))].join(' ')})`
}
