// The published rules as data: laws.txt, and its notation read into terms. `@` binds before `*` before `+`; `[x | y]` joins along axis 1,
// `[x ; y]` along axis 0; `name:flag:flag(x, y)` is a call. A law has one term on each side, or several that are rewritten together.
import { readFileSync } from 'node:fs'

/** `op` is '+', '*', '@', '|', ';', 'name' (of a variable, in `name`), or what is called. */
export interface Term {
  readonly op: string
  readonly name: string
  readonly flags: readonly string[]
  readonly args: readonly Term[]
}

export interface Law {
  /** Place in the table; from 1. */
  readonly number: number
  readonly text: string
  /** Values of rank 4, not 2. */
  readonly pictures: boolean
  readonly left: readonly Term[]
  readonly right: readonly Term[]
}

const BINARY = [['+'], ['*'], ['@']] as const

class Reader {
  private readonly tokens: readonly string[]
  private at = 0

  constructor(text: string) {
    this.tokens = text.match(/[a-zA-Z0-9:]+[|;]?(?=\()|[a-zA-Z]+|\S/g) ?? []
  }

  list(end?: string): Term[] {
    const terms = [this.term()]
    while (this.take(',')) terms.push(this.term())
    if (end) this.must(end)
    else if (this.at < this.tokens.length) this.must('the end')
    return terms
  }

  private term(level = 0): Term {
    if (level === BINARY.length) return this.atom()
    let left = this.term(level + 1)
    for (const [symbol] = BINARY[level]!; this.take(symbol); )
      left = { op: symbol, name: '', flags: [], args: [left, this.term(level + 1)] }
    return left
  }

  private atom(): Term {
    const token = this.tokens[this.at++] ?? 'nothing'
    if (token === '(') return this.closed(this.term(), ')')
    if (token === '[') return this.join()
    if (this.take('(')) {
      const [op, ...flags] = token.split(':') as [string, ...string[]]
      return { op, name: '', flags, args: this.list(')') }
    }
    return { op: 'name', name: token, flags: [], args: [] }
  }

  private join(): Term {
    const first = this.term()
    const op = this.take('|') ? '|' : this.must(';')
    return this.closed({ op, name: '', flags: [], args: [first, this.term()] }, ']')
  }

  private closed(term: Term, end: string): Term {
    this.must(end)
    return term
  }
  private take(token: string): boolean {
    if (this.tokens[this.at] !== token) return false
    this.at++
    return true
  }
  private must(token: string): string {
    if (!this.take(token)) throw new Error(`${token} expected at token ${this.at} of ${this.tokens.join(' ')}`)
    return token
  }
}

function readLaw(line: string): Law {
  const [, number, pictures, text] = /^(\d+) (pictures: )?(.*)$/.exec(line)!
  const [left, right] = text!.split(' = ').map((side) => new Reader(side).list())
  return {
    number: Number(number),
    text: text!,
    pictures: pictures !== undefined || /conv/.test(text!),
    left: left!,
    right: right!,
  }
}

/** All of laws.txt, in order. */
export const publishedLaws: readonly Law[] = readFileSync(new URL('laws.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => /^\d/.test(line))
  .map(readLaw)

/** Names of the variables of a law, in order of appearance. */
export function variablesOf(law: Law): readonly string[] {
  const names = new Set<string>()
  const visit = (t: Term): void => {
    if (t.op === 'name') names.add(t.name)
    t.args.forEach(visit)
  }
  for (const t of [...law.left, ...law.right]) visit(t)
  return [...names]
}

/** Capitals are weights. */
export const isWeight = (name: string): boolean => name === name.toUpperCase()
