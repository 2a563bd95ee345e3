// Finds constants of the same values, by their signatures (signature.ts). These are taken once there is something of the same dtype and
// shape to compare with: most weights of a model are never read for it.
import type { Rows } from './constant-rows.ts'
import { type Signature, sameSignature, signatureOf, slackOf } from './signature.ts'

/** Views of other constants are told apart by what they are views of, so that they are not compared with each other. */
export type Kind = 'values' | 'view'

interface Signed<Id> {
  readonly id: Id
  readonly signature: Signature
}

export class TwinIndex<Id> {
  private readonly rowsOf: (id: Id) => Rows
  /** By form (dtype and shape): those that nothing was compared with yet. */
  private readonly unsigned = new Map<string, Id[]>()
  /** By form and norm. */
  private readonly signed = new Map<string, Signed<Id>[]>()
  /** Forms of which some are no views. */
  private readonly valued = new Set<string>()

  constructor(rowsOf: (id: Id) => Rows) {
    this.rowsOf = rowsOf
  }

  /** True if some of this form are no views. */
  hasValues(form: string): boolean {
    return this.valued.has(form)
  }

  /** Takes in a constant that equals no other. */
  postpone(id: Id, form: string, kind: Kind): void {
    if (kind === 'values') this.valued.add(form)
    const others = this.unsigned.get(form)
    if (others) others.push(id)
    else this.unsigned.set(form, [id])
  }

  /** The one of the same values as `rows`; if there is none, what `add` makes of them, taken in. */
  settle(form: string, rows: Rows, kind: Kind, add: () => Id): Id {
    if (!this.unsigned.has(form)) {
      const id = add()
      this.postpone(id, form, kind)
      return id
    }
    this.signPostponed(form)
    const signature = signatureOf(rows)
    const twin = this.find(form, signature)
    if (twin !== null) return twin.id
    if (kind === 'values') this.valued.add(form)
    const id = add()
    this.remember(form, { id, signature })
    return id
  }

  private signPostponed(form: string): void {
    for (const id of this.unsigned.get(form) ?? []) this.remember(form, { id, signature: signatureOf(this.rowsOf(id)) })
    this.unsigned.set(form, [])
  }

  private remember(form: string, one: Signed<Id>): void {
    const key = bucketKey(form, one.signature.norm)
    const bucket = this.signed.get(key)
    if (bucket) bucket.push(one)
    else this.signed.set(key, [one])
  }

  private find(form: string, s: Signature): Signed<Id> | null {
    const slack = slackOf(s)
    const keys = new Set([s.norm - slack, s.norm, s.norm + slack].map((n) => bucketKey(form, n)))
    for (const key of keys)
      for (const other of this.signed.get(key) ?? []) if (sameSignature(s, other.signature, slack)) return other
    return null
  }
}

const bucketKey = (form: string, norm: number): string => `${form}${norm.toPrecision(9)}`
