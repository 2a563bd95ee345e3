// What has been fuzzed so far: per rule, how many cases and up to which seed. Long runs are done in pieces: each goes on
// where the record ends. The entry of a rule that was changed is to be deleted.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { FuzzTally } from './fuzz.ts'

/** Sums over all pieces; `from` and `next` are the first seed and the one to go on with. */
export interface RuleRecord extends Omit<FuzzTally, 'rule' | 'failures'> {
  readonly from: number
  wrong: number
}

export class FuzzRecord {
  private readonly path: string | null
  private readonly rules: Record<string, RuleRecord>
  private readonly from: number

  /** Of this file; null: of this run alone. `from`: the first seed of rules that are not in it. */
  constructor(path: string | null, from: number) {
    this.path = path
    this.from = from
    this.rules = path !== null && existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
  }

  of(rule: string): RuleRecord {
    const { from } = this
    const none = { from, next: from, drawn: 0, cases: 0, together: 0, programs: 0, compared: 0, wrong: 0 }
    this.rules[rule] ??= none
    return this.rules[rule]
  }

  /** Adds a piece, and writes the file. */
  add(t: FuzzTally): void {
    const sum = this.of(t.rule)
    sum.next = t.next
    for (const count of ['drawn', 'cases', 'together', 'programs', 'compared'] as const) sum[count] += t[count]
    sum.wrong += t.failures.length
    if (this.path !== null) writeFileSync(this.path, `${JSON.stringify(this.rules, null, 1)}\n`)
  }
}
