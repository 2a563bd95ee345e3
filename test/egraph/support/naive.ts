// Congruence closure written to be obviously right and slow: a list of terms, a partition, and a loop to the fixpoint.

interface Term {
  readonly op: number
  readonly children: readonly number[]
}

export class NaiveCongruence {
  readonly terms: Term[] = []
  private label: number[] = []

  /** The number of the term; a new one unless the same term over the same numbers is known. */
  add(op: number, children: readonly number[]): number {
    const known = this.terms.findIndex((t) => t.op === op && t.children.join() === children.join())
    if (known >= 0) return known
    this.terms.push({ op, children })
    this.label.push(this.terms.length - 1)
    return this.terms.length - 1
  }

  union(a: number, b: number): void {
    this.relabel(this.label[a]!, this.label[b]!)
  }

  /** Equal operators on equal classes are equal: until nothing changes. */
  close(): void {
    for (let changed = true; changed; ) {
      changed = false
      for (let i = 0; i < this.terms.length; i++)
        for (let j = 0; j < i; j++) {
          if (this.same(i, j) || this.key(i) !== this.key(j)) continue
          this.union(i, j)
          changed = true
        }
    }
  }

  same(a: number, b: number): boolean {
    return this.label[a] === this.label[b]
  }

  get classCount(): number {
    return new Set(this.label).size
  }

  /** Different e-nodes: operators on classes. */
  get nodeCount(): number {
    return new Set(this.terms.map((_, i) => this.key(i))).size
  }

  private key(i: number): string {
    const { op, children } = this.terms[i]!
    return `${op}(${children.map((c) => this.label[c]).join()})`
  }

  private relabel(from: number, to: number): void {
    this.label = this.label.map((l) => (l === from ? to : l))
  }
}
