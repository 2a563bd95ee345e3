// The e-graph: a set of e-nodes partitioned into e-classes, closed under congruence by `rebuild`.
// Willsey et al., egg: Fast and Extensible Equality Saturation (POPL 2021), with the storage turned inside out: all state
// is columns of integers, and an e-node has the number of the class it was created in, so the union-find over node
// numbers is the map from nodes to classes. Children are made canonical in place: after `rebuild` no stale node exists.
// Knows nothing of tensors. Inside, numbers are plain; the public methods speak in branded ids.
import { InvariantError } from '../base/errors.ts'
import { grown, IntStack } from './columns.ts'
import { type ConflictPlace, mergeAt } from './conflict.ts'
import { Generations } from './generations.ts'
import type { ClassId, FamilyId, NodeId, OpId, RuleId } from './ids.ts'
import { DEAD, LIVE, NodeLists, PRUNED } from './node-lists.ts'
import { MAX_ARITY, NodeTable } from './node-table.ts'
import type { OperatorTable } from './operators.ts'
import { Origins } from './origins.ts'
import { ParentLists } from './parent-lists.ts'
import { UnionFind } from './union-find.ts'

export { ConflictError } from './conflict.ts'
export type { ClassId, FamilyId, NodeId, OpId, RuleId } from './ids.ts'

/**
 * What a client may know of every e-class: one integer each, interned by the client (a shape, a constant, a set), kept up
 * to date by the e-graph. The integers form a join semilattice under `merge`.
 */
export interface Analysis<P = unknown> {
  /** The data of an e-node from its operator and the data of its (canonical) children. May add nodes. */
  make(egraph: EGraph<P>, op: OpId, children: ArrayLike<number>): number
  /** The data of two classes that became one. Throws a ConflictError where both cannot be true. */
  merge(a: number, b: number): number
  /** Called when a class is made and when its data may have changed. May add, unite and prune. */
  modify?(egraph: EGraph<P>, cls: ClassId): void
}

export class EGraph<P> {
  readonly operators: OperatorTable<P>
  readonly analysis: Analysis<P> | null
  /** The columns of the nodes. For matchers and writers of dumps inside this room. */
  readonly table = new NodeTable()
  private readonly parents = new ParentLists()
  private readonly work = new IntStack()
  private readonly analysisWork = new IntStack()
  private readonly sets: UnionFind
  private readonly lists: NodeLists
  private readonly origins: Origins
  private readonly generations: Generations
  private classData: Int32Array
  private liveNodes = 0
  private liveClasses = 0
  private changes = 0

  constructor(operators: OperatorTable<P>, options: { readonly analysis?: Analysis<P> } = {}) {
    this.operators = operators
    this.analysis = options.analysis ?? null
    const capacity = this.table.capacity
    this.sets = new UnionFind(capacity)
    this.lists = new NodeLists(capacity)
    this.origins = new Origins(capacity)
    this.generations = new Generations(capacity)
    this.classData = new Int32Array(capacity)
  }

  // --- building ---

  /** The class of this e-node; the node is new unless an equal one is known. Any number of children. */
  add(op: OpId, children: ArrayLike<number>): ClassId {
    this.check(op, children)
    const arity = children.length
    if (arity > 3) return this.addWide(op, children)
    return this.addNarrow(
      op,
      arity > 0 ? children[0]! : -1,
      arity > 1 ? children[1]! : -1,
      arity > 2 ? children[2]! : -1,
      arity,
    )
  }

  /** As `add`, without an array and unchecked: for generated code. Absent children are -1. */
  addNarrow(op: number, child0: number, child1: number, child2: number, arity: number): ClassId {
    const a = arity > 0 ? this.find(child0) : -1
    const b = arity > 1 ? this.find(child1) : -1
    const c = arity > 2 ? this.find(child2) : -1
    const known = this.table.findNarrow(op, a, b, c)
    if (known >= 0) return this.find(known)
    if (this.analysis === null) return this.enter(this.table.appendNarrow(op, a, b, c, arity), 0)
    const before = this.changes
    const data = this.analysis.make(this, op as OpId, arity === 3 ? [a, b, c] : [a, b].slice(0, arity))
    if (this.changes !== before) return this.addNarrow(op, a, b, c, arity) // `make` added nodes: look again
    return this.enter(this.table.appendNarrow(op, a, b, c, arity), data)
  }

  /** The class of this e-node if it is known, else -1. */
  lookup(op: OpId, children: ArrayLike<number>): ClassId | -1 {
    const n = this.lookupNode(op, children)
    return n < 0 ? -1 : this.find(n)
  }

  /** The e-node itself, which may have been made for other children that merged with these since; or -1. */
  lookupNode(op: OpId, children: ArrayLike<number>): NodeId | -1 {
    const canonical = Array.from(children, (c) => this.find(c))
    return this.table.find(op, canonical) as NodeId | -1
  }

  find(c: number): ClassId {
    return this.sets.find(c) as ClassId
  }

  /** Makes two classes one; congruence waits for `rebuild`. Returns false if they were one already. */
  union(a: number, b: number): boolean {
    return this.unite(a, b, 'union')
  }

  /** Restores congruence: equal operators on equal children are one node. */
  rebuild(): void {
    while (this.work.length > 0 || this.analysisWork.length > 0) {
      while (this.work.length > 0) this.repair(this.work.pop())
      while (this.analysisWork.length > 0) this.reanalyse(this.analysisWork.pop())
    }
  }

  /** True if nothing waits for `rebuild`. */
  get isClean(): boolean {
    return this.work.length === 0 && this.analysisWork.length === 0
  }

  /**
   * Takes from the class every node for which `keep` is false: not matched, not counted, not extracted, but still known
   * to `add` and to congruence.
   */
  prune(c: number, keep: (n: NodeId) => boolean): void {
    for (const n of this.nodesOf(c)) {
      if (keep(n)) continue
      this.lists.state[n] = PRUNED
      this.liveNodes--
    }
  }

  // --- counting and listing (canonical after `rebuild`) ---

  get nodeCount(): number {
    return this.liveNodes
  }

  get classCount(): number {
    return this.liveClasses
  }

  /** Nodes ever made; node and class numbers are below it. */
  get idLimit(): number {
    return this.table.length
  }

  /** Grows with every new node and every union. */
  get changeCount(): number {
    return this.changes
  }

  /** The live nodes of a class, in a fresh array. */
  nodesOf(c: number): NodeId[] {
    return this.lists.ofClass(this.find(c)) as NodeId[]
  }

  /** The live nodes that have the class as a child, each once, in a fresh array. */
  parentsOf(c: number): NodeId[] {
    const out: NodeId[] = []
    this.parents.each(this.find(c), this.lists.state, (n) => {
      if (this.lists.state[n] === LIVE) out.push(n as NodeId)
    })
    return out
  }

  /** The live nodes whose operator is of this family, oldest first, in a fresh array. */
  nodesInFamily(f: FamilyId): NodeId[] {
    return this.lists.ofFamily(f) as NodeId[]
  }

  /** The canonical classes, oldest number first. */
  *classes(): IterableIterator<ClassId> {
    for (let c = 0; c < this.table.length; c++) if (this.sets.isRoot(c)) yield c as ClassId
  }

  // --- one node ---

  isLive(n: NodeId): boolean {
    return this.lists.state[n] === LIVE
  }

  opOf(n: NodeId): OpId {
    return this.table.opOf(n) as OpId
  }

  familyOf(n: NodeId): FamilyId {
    return this.operators.familyOf(this.table.opOf(n) as OpId)
  }

  arityOf(n: NodeId): number {
    return this.table.arity[n]!
  }

  childOf(n: NodeId, i: number): ClassId {
    return this.find(this.table.childAt(n, i))
  }

  childrenOf(n: NodeId): ClassId[] {
    return this.table.children(n, this.sets) as ClassId[]
  }

  classOf(n: NodeId): ClassId {
    return this.find(n)
  }

  /** What the analysis says of the class; 0 without an analysis. */
  data(c: number): number {
    return this.classData[this.find(c)]!
  }

  // --- derivations and generations ---

  /** Nodes first created inside `body` carry this rule and source node. */
  withOrigin<T>(rule: RuleId, source: NodeId, body: () => T): T {
    const { currentRule, currentSource } = this.origins
    this.setOrigin(rule, source)
    try {
      return body()
    } finally {
      this.setOrigin(currentRule, currentSource)
    }
  }

  /** The plain form of `withOrigin`, for loops: -1, -1 ends it. */
  setOrigin(rule: number, source: number): void {
    this.origins.set(rule, source)
  }

  /** The rule inside which the node was first created, -1 for a node of the input. */
  originRule(n: NodeId): RuleId | -1 {
    return this.origins.rule[n] as RuleId | -1
  }

  /** The node on which that rule fired, or -1. */
  originSource(n: NodeId): NodeId | -1 {
    return this.origins.source[n] as NodeId | -1
  }

  /** The current generation; `saturate` starts a new one in each iteration. */
  get generation(): number {
    return this.generations.now
  }

  nextGeneration(): number {
    return ++this.generations.now
  }

  /** The generation in which the class last changed: its nodes, their children, its data or theirs. */
  classGeneration(c: number): number {
    return this.generations.classes[this.find(c)]!
  }

  /** The generation in which the node was made or last got other children by a union. */
  nodeGeneration(n: number): number {
    return this.generations.nodes[n]!
  }

  /** The latest `classGeneration` of the node's own class and of its children. */
  generationOf(n: NodeId): number {
    return Math.max(this.classGeneration(n), ...this.childrenOf(n).map((c) => this.classGeneration(c)))
  }

  // --- inside ---

  private check(op: OpId, children: ArrayLike<number>): void {
    if (!(op >= 0 && op < this.operators.size)) throw new InvariantError(`no operator ${op} in this e-graph's table`)
    if (children.length > MAX_ARITY) throw new InvariantError(`an e-node with ${children.length} children`)
    for (let i = 0; i < children.length; i++) {
      const c = children[i]!
      if (!(c >= 0 && c < this.table.length)) throw new InvariantError(`no e-class ${c} in this e-graph`)
    }
  }

  private addWide(op: OpId, children: ArrayLike<number>): ClassId {
    const canonical = Array.from(children, (c) => this.find(c))
    const known = this.table.findWide(op, canonical, canonical.length)
    if (known >= 0) return this.find(known)
    if (this.analysis === null) return this.enter(this.table.appendWide(op, canonical, canonical.length), 0)
    const before = this.changes
    const data = this.analysis.make(this, op, canonical)
    if (this.changes !== before) return this.addWide(op, canonical)
    return this.enter(this.table.appendWide(op, canonical, canonical.length), data)
  }

  /** Gives the node just appended its class, its place in the lists and its data. */
  private enter(n: number, data: number): ClassId {
    if (n >= this.classData.length) this.grow(this.table.capacity)
    this.sets.enter(n)
    this.lists.enter(n, this.operators.familyOf(this.table.opOf(n) as OpId))
    this.origins.enter(n)
    this.generations.enter(n)
    this.classData[n] = data
    const arity = this.table.arity[n]!
    for (let i = 0; i < arity; i++) this.parents.add(this.table.childAt(n, i), n)
    this.liveNodes++
    this.liveClasses++
    this.changes++
    if (this.analysis !== null) {
      this.analysis.modify?.(this, n as ClassId)
      return this.find(n)
    }
    return n as ClassId
  }

  private unite(a: number, b: number, cause: ConflictPlace['cause']): boolean {
    let winner: number = this.find(a)
    let loser: number = this.find(b)
    if (winner === loser) return false
    if (this.parents.count[winner]! < this.parents.count[loser]!) [winner, loser] = [loser, winner]
    if (this.analysis !== null) this.mergeData(winner, loser, cause)
    this.parents.collect(loser, this.lists.state, this.work)
    this.parents.join(winner, loser)
    this.sets.parent[loser] = winner
    this.lists.join(winner, loser)
    this.generations.touch(winner)
    this.liveClasses--
    this.changes++
    this.analysis?.modify?.(this, winner as ClassId)
    return true
  }

  private mergeData(winner: number, loser: number, cause: ConflictPlace['cause']): void {
    const [ours, theirs] = [this.classData[winner]!, this.classData[loser]!]
    const merged = this.merged(ours, theirs, winner, loser, cause)
    this.classData[winner] = merged
    if (merged !== ours) this.queueAnalysis(winner)
    if (merged !== theirs) this.queueAnalysis(loser)
  }

  private merged(ours: number, theirs: number, left: number, right: number, cause: ConflictPlace['cause']): number {
    const place = (): ConflictPlace => {
      const { currentRule, currentSource } = this.origins
      return {
        left: left as ClassId,
        right: right as ClassId,
        cause,
        rule: currentRule as RuleId | -1,
        source: currentSource as NodeId | -1,
      }
    }
    return mergeAt(() => this.analysis!.merge(ours, theirs), place)
  }

  /** The data of the class changed: its parents' data may too. */
  private queueAnalysis(c: number): void {
    this.parents.each(c, this.lists.state, (n) => {
      this.analysisWork.push(n)
      this.generations.touch(this.find(n))
    })
  }

  /** Makes the children of a node canonical; of two that became equal the later one dies, and their classes unite. */
  private repair(n: number): void {
    const { table, lists } = this
    if (lists.state[n] === DEAD || !table.hasStaleChild(n, this.sets)) return
    table.remove(n)
    table.canonicalise(n, this.sets)
    const twin = table.reinsert(n)
    this.generations.touch(this.find(n))
    this.generations.nodes[n] = this.generations.now
    if (twin < 0) return
    const [kept, dead] = n < twin ? [n, twin] : [twin, n]
    if (kept === n) table.replace(twin, n)
    if (lists.state[dead] === LIVE) {
      if (lists.state[kept] === LIVE) this.liveNodes--
      lists.state[kept] = LIVE
    }
    lists.state[dead] = DEAD
    this.unite(kept, dead, 'congruence')
  }

  private reanalyse(n: number): void {
    if (this.lists.state[n] === DEAD) return
    const c = this.find(n)
    const made = this.analysis!.make(this, this.table.opOf(n) as OpId, this.childrenOf(n as NodeId))
    const root = this.find(c)
    const before = this.classData[root]!
    const after = this.merged(before, made, root, root, 'data')
    if (after === before) return
    this.classData[root] = after
    this.generations.touch(root)
    this.queueAnalysis(root)
    this.analysis!.modify?.(this, root)
  }

  private grow(capacity: number): void {
    this.sets.grow(capacity)
    this.lists.grow(capacity)
    this.origins.grow(capacity)
    this.parents.grow(capacity)
    this.generations.grow(capacity)
    this.classData = grown(this.classData, capacity)
  }
}
