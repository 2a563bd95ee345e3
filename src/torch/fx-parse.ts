// Reads the text of an FX graph back. The text loses the quotes of strings, so a bare word that is no Python literal is a
// string, and ends at a comma followed by a space (which no known string argument holds, except equations of einsum).
import { UserError } from '../base/errors.ts'
import { type FxArg, type FxGraph, type FxNode, type FxOpcode, inputsOf, literal, namesIn, str } from './fx-graph.ts'

const NODE =
  /^%(\w+) : (?:(\S.*) )?\[(num_users|#users)=(\d+)\] = (placeholder|get_attr|call_function|call_method|call_module)\[target=([^\]]*)\](.*)$/
const LITERAL = /^(?:[-+]?(?:\d[\d_]*\.?\d*(?:[eE][-+]?\d+)?|\.\d+|inf|nan)j?|None|True|False|Ellipsis|torch\.[\w.]+)$/
/** Nesting deeper than this is refused, so that no text can exhaust the stack. */
const DEPTH_LIMIT = 100

/** The graph that a text denotes: `graph():` to `return ..`. Text before and after is ignored. Throws UserError with the line number. */
export function parseFx(text: string): FxGraph {
  const lines = text.split(/\r?\n/).map((l) => l.trim())
  const start = lines.findIndex((l) => /^graph\(.*\)(?: -> .*)?:$/.test(l))
  if (start < 0) throw complaint(1, 'a line `graph():`', text.trim() === '' ? 'an empty text' : 'no such line')
  const header = /^graph\((.*)\)(?: -> (.*))?:$/.exec(lines[start]!)!
  const nodes: FxNode[] = listedInputs(header[1]!)
  let usersLabel: FxGraph['usersLabel'] = 'num_users'
  for (let i = start + 1; i < lines.length; i++) {
    const line = lines[i]!
    if (line === '') continue
    if (line.startsWith('return')) return finish(nodes, line, i + 1, usersLabel, header[2])
    const parsed = parseNode(line, i + 1, new Set(nodes.map((n) => n.name)))
    usersLabel = parsed.usersLabel
    nodes.push(parsed.node)
  }
  throw complaint(lines.length, 'a line `return ..`', 'the end of the text')
}

/** PyTorch 1.8 lists the inputs in the header: `graph(x, y):`. */
function listedInputs(list: string): FxNode[] {
  const names = list.split(',').map((s) => s.trim())
  return names
    .filter((s) => s !== '')
    .map((name) => ({ opcode: 'placeholder', name, target: name, args: [], kwargs: [] }))
}

function finish(
  nodes: readonly FxNode[],
  line: string,
  at: number,
  usersLabel: FxGraph['usersLabel'],
  returnType: string | undefined,
): FxGraph {
  const known = new Set(nodes.map((n) => n.name))
  const reader = new ArgReader(line.slice('return'.length).trim() || 'None', at, known, 'repr')
  const result = reader.value(0)
  reader.end()
  requireKnown([...namesIn(result)], known, at)
  return { nodes, result, usersLabel, ...(returnType === undefined ? {} : { returnType }) }
}

function parseNode(
  line: string,
  at: number,
  known: ReadonlySet<string>,
): { node: FxNode; usersLabel: FxGraph['usersLabel'] } {
  const match = NODE.exec(line)
  if (!match) throw complaint(at, '`%name : [num_users=N] = opcode[target=..](args = .., kwargs = ..)`', line)
  const [, name, type, usersLabel, , opcode, target, rest] = match as unknown as string[]
  if (known.has(name!)) throw complaint(at, 'each name once', `a second %${name}`)
  const call = parseCall(opcode as FxOpcode, rest!, at, known)
  const node: FxNode = { opcode: opcode as FxOpcode, name: name!, target: target!, ...call, ...(type ? { type } : {}) }
  requireKnown(inputsOf(node), known, at)
  if (opcode === 'call_method' && node.args.length === 0)
    throw complaint(at, 'a method called on a value', 'no arguments')
  return {
    node: /\beinsum\b/.test(target!) ? { ...node, args: joinEquation(node.args) } : node,
    usersLabel: usersLabel as FxGraph['usersLabel'],
  }
}

function requireKnown(names: readonly string[], known: ReadonlySet<string>, at: number): void {
  const missing = names.find((n) => !known.has(n))
  if (missing !== undefined) throw complaint(at, 'values made on earlier lines', `%${missing}`)
}

function parseCall(
  opcode: FxOpcode,
  rest: string,
  at: number,
  known: ReadonlySet<string>,
): Pick<FxNode, 'args' | 'kwargs'> {
  if (opcode === 'get_attr' && rest === '') return { args: [], kwargs: [] }
  if (opcode === 'placeholder') {
    if (rest === '') return { args: [], kwargs: [] }
    const value = /^\(default=(.*)\)$/.exec(rest)
    if (value) return { args: [readAll(value[1]!, at, known)], kwargs: [] }
  }
  const reader = new ArgReader(rest, at, known, 'text')
  reader.expect('(args = ')
  const args = reader.value(0)
  reader.expect(', kwargs = ')
  const kwargs = reader.value(0)
  reader.expect(')')
  reader.end()
  if (args.kind !== 'sequence' || kwargs.kind !== 'dict')
    throw complaint(at, 'a tuple of arguments and a dict of keyword arguments', rest)
  return { args: args.items, kwargs: kwargs.entries }
}

function readAll(text: string, at: number, known: ReadonlySet<string>): FxArg {
  const reader = new ArgReader(text, at, known, 'text')
  const value = reader.value(0)
  reader.end()
  return value
}

/** The arguments of a printed call, `3, 8, kernel_size=(3, 3)`, names before an equals sign as keywords. */
export function parseArguments(text: string): { args: FxArg[]; kwargs: Map<string, FxArg> } {
  return new ArgReader(text, 1, new Set(), 'call').callArguments()
}

/** An equation with spaces after its commas was cut there: the words before the first value belong together. */
function joinEquation(args: readonly FxArg[]): FxArg[] {
  const first = args.findIndex((a) => a.kind !== 'string')
  const words = args.slice(0, first < 0 ? args.length : first) as readonly Extract<FxArg, { kind: 'string' }>[]
  return words.length < 2 ? [...args] : [str(words.map((w) => w.value).join(', ')), ...args.slice(words.length)]
}

function complaint(line: number, expected: string, got: string): UserError {
  const short = got.length > 120 ? `${got.slice(0, 117)}...` : got
  return new UserError({
    code: 'bad-fx-text',
    where: `FX graph, line ${line}`,
    expected,
    got: short,
    fix: 'paste the output of print(graph_module.graph)',
  })
}

/** text: strings are bare, nodes have a percent sign. repr: strings are quoted, nodes are bare. call: no nodes, strings either way. */
type Mode = 'text' | 'repr' | 'call'

/** Recursive descent over one line. */
class ArgReader {
  private readonly text: string
  private readonly line: number
  private readonly known: ReadonlySet<string>
  private readonly mode: Mode
  private at = 0

  constructor(text: string, line: number, known: ReadonlySet<string>, mode: Mode) {
    this.text = text
    this.line = line
    this.known = known
    this.mode = mode
  }

  expect(what: string): void {
    if (!this.text.startsWith(what, this.at)) throw this.fail(`\`${what.trim()}\``)
    this.at += what.length
  }

  end(): void {
    if (this.at < this.text.length) throw this.fail('the end of the line')
  }

  value(depth: number): FxArg {
    if (depth > DEPTH_LIMIT) throw this.fail(`nesting of at most ${DEPTH_LIMIT}`)
    const c = this.text[this.at]
    if (c === '(') return { kind: 'sequence', form: 'tuple', items: this.items('(', ')', depth) }
    if (c === '[') return { kind: 'sequence', form: 'list', items: this.items('[', ']', depth) }
    if (c === '{') return this.dict(depth)
    if (this.text.startsWith('slice(', this.at)) return this.slice()
    if (c === '%') return { kind: 'node', name: this.match(/%(\w+)/y, 'a value') }
    if (this.mode !== 'text' && (c === "'" || c === '"')) return str(this.quotedString(c))
    return this.word(this.mode === 'repr')
  }

  callArguments(): { args: FxArg[]; kwargs: Map<string, FxArg> } {
    const args: FxArg[] = []
    const kwargs = new Map<string, FxArg>()
    while (this.at < this.text.length) {
      const key = /(\w+)=/y
      key.lastIndex = this.at
      const found = key.exec(this.text)
      if (found) this.at = key.lastIndex
      const value = this.value(0)
      if (found) kwargs.set(found[1]!, value)
      else args.push(value)
      if (this.at < this.text.length) this.expect(', ')
    }
    return { args, kwargs }
  }

  private items(open: string, close: string, depth: number): FxArg[] {
    this.expect(open)
    const items: FxArg[] = []
    while (!this.skip(close)) {
      items.push(this.value(depth + 1))
      if (this.skip(close)) break
      if (!this.skip(', ')) this.expect(',')
    }
    return items
  }

  private dict(depth: number): FxArg {
    this.expect('{')
    const entries: (readonly [string, FxArg])[] = []
    while (!this.skip('}')) {
      const c = this.text[this.at]
      const key = c === "'" || c === '"' ? this.quotedString(c) : this.match(/([^:,{}[\]()]+)/y, 'a key')
      this.expect(': ')
      entries.push([key, this.value(depth + 1)])
      if (!this.skip(', ') && this.text[this.at] !== '}') throw this.fail('`, ` or `}`')
    }
    return { kind: 'dict', entries }
  }

  private slice(): FxArg {
    this.expect('slice(')
    const part = () => (this.text[this.at] === '%' ? this.value(0) : this.word(true))
    const start = part()
    this.expect(', ')
    const stop = part()
    this.expect(', ')
    const step = part()
    this.expect(')')
    return { kind: 'slice', start, stop, step }
  }

  private word(namesAllowed: boolean): FxArg {
    const text = this.bareText()
    if (namesAllowed && this.known.has(text)) return { kind: 'node', name: text }
    if (namesAllowed && /^[A-Za-z_]\w*$/.test(text) && !LITERAL.test(text)) return { kind: 'node', name: text }
    return LITERAL.test(text) ? literal(text) : str(text)
  }

  /** Up to a comma and space, a comma before a closing bracket, or a closing bracket that was not opened here. */
  private bareText(): string {
    const start = this.at
    let depth = 0
    for (; this.at < this.text.length; this.at++) {
      const [c, next] = [this.text[this.at]!, this.text[this.at + 1] ?? '']
      if ('([{'.includes(c)) depth++
      if (')]}'.includes(c) && depth-- === 0) break
      if (depth === 0 && c === ',' && ' )]}'.includes(next) && next !== '') break
    }
    return this.text.slice(start, this.at)
  }

  private quotedString(quote: string): string {
    const body = this.match(quote === "'" ? /'((?:[^'\\]|\\.)*)'/y : /"((?:[^"\\]|\\.)*)"/y, 'a closing quote')
    return body.replaceAll(/\\(x[0-9a-fA-F]{2}|.)/g, (_, e: string) => unescaped(e))
  }

  private match(pattern: RegExp, expected: string): string {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)
    if (!found) throw this.fail(expected)
    this.at = pattern.lastIndex
    return found[1]!
  }

  private skip(what: string): boolean {
    if (!this.text.startsWith(what, this.at)) return false
    this.at += what.length
    return true
  }

  private fail(expected: string): UserError {
    return complaint(this.line, expected, this.text.slice(this.at) || 'the end of the line')
  }
}

function unescaped(e: string): string {
  if (e.length > 1) return String.fromCharCode(Number.parseInt(e.slice(1), 16))
  return { n: '\n', r: '\r', t: '\t' }[e] ?? e
}
