// Reads text from left to right, for parsers of printed graphs and of laws. Says where it stopped when it meets what it does not
// expect.
import { UserError } from '../base/errors.ts'

export class Scanner {
  private readonly text: string
  private readonly place: string
  private readonly fix: string
  private at = 0

  /** `place` and `fix`: what the text is, and how to mend it, for complaints. */
  constructor(text: string, place = 'a printed graph', fix = 'print the graph again, with full weights') {
    this.text = text
    this.place = place
    this.fix = fix
  }

  get done(): boolean {
    this.skipBlanks()
    return this.at >= this.text.length
  }

  /** What a sticky pattern matches here, after blanks, or null. */
  match(pattern: RegExp): string | null {
    this.skipBlanks()
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0] ?? null
    if (found !== null) this.at += found.length
    return found
  }

  /** The same, but it must be there. */
  expect(pattern: RegExp, what: string): string {
    return this.match(pattern) ?? this.fail(what)
  }

  /** True, and past it, if this literal comes next. */
  accept(literal: string): boolean {
    this.skipBlanks()
    if (!this.text.startsWith(literal, this.at)) return false
    this.at += literal.length
    return true
  }

  require(literal: string): void {
    if (!this.accept(literal)) this.fail(`'${literal}'`)
  }

  /** One or more items with `separator` between them. */
  list<T>(separator: string, item: () => T): T[] {
    const items = [item()]
    while (this.accept(separator)) items.push(item())
    return items
  }

  fail(expected: string): never {
    const before = this.text.slice(0, this.at).split('\n')
    throw new UserError({
      code: 'bad-text',
      where: `line ${before.length}, column ${before.at(-1)!.length + 1} of ${this.place}`,
      expected,
      got: JSON.stringify(this.text.slice(this.at, this.at + 20)),
      fix: this.fix,
    })
  }

  private skipBlanks(): void {
    while (this.at < this.text.length && /\s/.test(this.text[this.at]!)) this.at++
  }
}
