// What must hold of every rebuilt e-graph, and a fingerprint that depends on nothing but what it says.
import { expect } from 'chai'
import type { EGraph } from '../../../src/egraph/egraph.ts'
import type { ClassId, NodeId } from '../../../src/egraph/ids.ts'

/** Asserts the invariants: hashcons = nodes, canonical children, congruence, complete parents, counts, data up to date. */
export function checkInvariants<P>(g: EGraph<P>): void {
  expect(g.isClean, 'nothing waits').to.equal(true)
  const keys = new Map<string, NodeId>()
  let nodes = 0
  let classes = 0
  for (const c of g.classes()) {
    classes++
    expect(g.find(c)).to.equal(c)
    for (const n of g.nodesOf(c)) {
      nodes++
      expect(g.isLive(n)).to.equal(true)
      expect(g.classOf(n)).to.equal(c)
      const children = g.childrenOf(n)
      const key = `${g.opOf(n)}(${children.join()})`
      expect(keys.has(key), `${key} twice`).to.equal(false)
      keys.set(key, n)
      expect(g.lookupNode(g.opOf(n), children)).to.equal(n)
      children.forEach((child, i) => {
        expect(g.find(child)).to.equal(child)
        expect(g.table.childAt(n, i), 'stored children are canonical').to.equal(child)
        expect(g.parentsOf(child)).to.include(n)
      })
    }
    for (const parent of g.parentsOf(c)) expect(g.childrenOf(parent)).to.include(c)
  }
  expect(g.nodeCount).to.equal(nodes)
  expect(g.classCount).to.equal(classes)
  if (g.analysis !== null) checkData(g)
}

/** The data of each class is what its nodes say. */
function checkData<P>(g: EGraph<P>): void {
  for (const c of g.classes()) {
    const made = g.nodesOf(c).map((n) => g.analysis!.make(g, g.opOf(n), g.childrenOf(n)))
    const merged = made.reduce((a, b) => g.analysis!.merge(a, b), g.data(c))
    expect(merged, `data of class ${c}`).to.equal(g.data(c))
  }
}

/** Each class named by its smallest term (by size, then text), each node spelt with those names; sorted. */
export function fingerprint<P>(g: EGraph<P>): string[] {
  const names = smallestTerms(g)
  const lines: string[] = []
  for (const c of g.classes()) for (const n of g.nodesOf(c)) lines.push(`${names.get(c)} = ${spell(g, n, names)}`)
  return lines.sort()
}

function spell<P>(g: EGraph<P>, n: NodeId, names: ReadonlyMap<ClassId, string>): string {
  const op = g.operators.name(g.opOf(n))
  const children = g.childrenOf(n)
  return children.length === 0 ? op : `(${[op, ...children.map((c) => names.get(c))].join(' ')})`
}

function smallestTerms<P>(g: EGraph<P>): Map<ClassId, string> {
  const names = new Map<ClassId, string>()
  const isSmaller = (a: string, b: string) => a.length < b.length || (a.length === b.length && a < b)
  for (let changed = true; changed; ) {
    changed = false
    for (const c of g.classes())
      for (const n of g.nodesOf(c)) {
        if (!g.childrenOf(n).every((child) => names.has(child))) continue
        const term = spell(g, n, names)
        const known = names.get(c)
        if (known !== undefined && !isSmaller(term, known)) continue
        names.set(c, term)
        changed = true
      }
  }
  return names
}
