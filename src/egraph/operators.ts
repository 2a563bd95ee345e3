// Interned operators. An operator is a family (a bare name) and a payload (attributes, a constant's id, a symbol); the
// payload's canonical text is its key, so equal keys are the same operator. E-nodes hold the operator's number only.
import type { FamilyId, OpId } from './ids.ts'

export type { FamilyId, OpId } from './ids.ts'

export class OperatorTable<P> {
  private readonly families: string[] = []
  private readonly familyIds = new Map<string, FamilyId>()
  private readonly idsByFamily: Map<string, OpId>[] = []
  private readonly payloads: P[] = []
  private readonly keys: string[] = []
  private familyColumn = new Int32Array(64)

  /** Number of operators interned so far; ids are 0 .. size - 1. */
  get size(): number {
    return this.payloads.length
  }

  /** The operator with this family and key; the payload is stored the first time and ignored afterwards. */
  intern(family: string, key: string, payload: P): OpId {
    const f = this.family(family)
    const ids = this.idsByFamily[f]!
    const known = ids.get(key)
    if (known !== undefined) return known
    const op = this.payloads.length as OpId
    ids.set(key, op)
    this.payloads.push(payload)
    this.keys.push(key)
    this.setFamily(op, f)
    return op
  }

  /** The operator with this family and key, or -1 if nobody interned it. */
  lookup(family: string, key: string): OpId | -1 {
    const f = this.familyIds.get(family)
    return f === undefined ? -1 : (this.idsByFamily[f]!.get(key) ?? -1)
  }

  /** The family of this name; a new one if the name is new. */
  family(name: string): FamilyId {
    const known = this.familyIds.get(name)
    if (known !== undefined) return known
    const f = this.families.length as FamilyId
    this.families.push(name)
    this.familyIds.set(name, f)
    this.idsByFamily.push(new Map())
    return f
  }

  familyOf(op: OpId): FamilyId {
    return this.familyColumn[op] as FamilyId
  }

  familyName(f: FamilyId): string {
    return this.families[f]!
  }

  payload(op: OpId): P {
    return this.payloads[op]!
  }

  key(op: OpId): string {
    return this.keys[op]!
  }

  /** `family`, or `family[key]` where there is a key. */
  name(op: OpId): string {
    const family = this.families[this.familyColumn[op]!]!
    const key = this.keys[op]!
    return key === '' ? family : `${family}[${key}]`
  }

  private setFamily(op: number, f: FamilyId): void {
    if (op === this.familyColumn.length) {
      const wider = new Int32Array(op * 2)
      wider.set(this.familyColumn)
      this.familyColumn = wider
    }
    this.familyColumn[op] = f
  }
}
