// What the left side of a law looks like in an e-graph. Nobody who writes a law needs to know the canonical form: the left side
// is encoded, case by case, by the encoder that graphs go through, and what it became is a template: which operators stand where,
// and what a class at each leaf says of the law's variables. A template only proposes bindings; see match.ts.
import type { ClassId } from '../../egraph/egraph.ts'
import type { NdArray } from '../../ir/tensor.ts'
import type { ConstantId } from '../constants.ts'
import { isCommutative } from '../spellings.ts'
import { TensorEGraph } from '../tensor-egraph.ts'
import { familyOf, type TensorOp } from '../tensor-op.ts'
import { buildTerm } from './build-term.ts'
import { type Case, encodeCase } from './cases.ts'
import type { Term } from './law.ts'

/** An operator that was applied to a constant variable and folded, and the constant operands beside it. */
export interface Fold {
  readonly op: TensorOp
  readonly others: readonly NdArray[]
}

export type Template =
  | { readonly kind: 'variable'; readonly name: string }
  /** A constant of the law itself. */
  | { readonly kind: 'constant' }
  /** A constant that was computed from a variable; the last fold last. */
  | { readonly kind: 'folded'; readonly name: string; readonly folds: readonly Fold[] }
  | NodeTemplate

export interface NodeTemplate {
  readonly kind: 'node'
  readonly family: string
  readonly isCommutative: boolean
  readonly children: readonly Template[]
}

/** An e-graph that remembers how its constants were folded. */
export class PatternEGraph extends TensorEGraph {
  readonly folds = new Map<ConstantId, { readonly op: TensorOp; readonly args: readonly ConstantId[] }>()

  override make(op: TensorOp, children: readonly ClassId[]): ClassId {
    const c = super.make(op, children)
    const id = this.constantOf(c)
    const args = children.map((x) => this.constantOf(x))
    if (id !== null && !args.includes(null) && !this.folds.has(id))
      this.folds.set(id, { op, args: args as ConstantId[] })
    return c
  }
}

/** The template of a law's left side in a case; null where no bindings could be read off it. */
export function templateOf(
  t: PatternEGraph,
  left: Term,
  variables: Case,
  values: ReadonlyMap<string, NdArray>,
): NodeTemplate | null {
  const bound = encodeCase(t, variables, values)
  const reader = new TemplateReader(t, bound)
  const template = reader.read(buildTerm(t, left, bound))
  const named = template === null ? [] : namesIn(template)
  return template?.kind === 'node' && variables.every((v) => named.includes(v.name)) ? template : null
}

class TemplateReader {
  private readonly t: PatternEGraph
  private readonly names: ReadonlyMap<ClassId, string>

  constructor(t: PatternEGraph, bound: ReadonlyMap<string, ClassId>) {
    this.t = t
    this.names = new Map([...bound].map(([name, c]) => [c, name]))
  }

  read(c: ClassId): Template | null {
    const { t } = this
    const name = this.names.get(c)
    if (name !== undefined) return { kind: 'variable', name }
    const id = t.constantOf(c)
    if (id !== null) return this.readConstant(id)
    const n = t.egraph.nodesOf(c)[0]!
    const op = t.op(n)
    const children = t.children(n).map((x) => this.read(x))
    if (children.includes(null)) return null
    return {
      kind: 'node',
      family: familyOf(op),
      isCommutative: isCommutative(op) && children.length === 2,
      children: children as Template[],
    }
  }

  /** Follows the folds down to the one variable; null if there are several. */
  private readConstant(id: ConstantId): Template | null {
    if (!this.dependsOnVariable(id)) return { kind: 'constant' }
    const folds: Fold[] = []
    for (let at = id; ; ) {
      const name = this.variableOf(at)
      if (name !== null) return { kind: 'folded', name, folds: folds.reverse() }
      const { op, args } = this.t.folds.get(at)!
      const varying = args.filter((a) => this.dependsOnVariable(a))
      if (varying.length !== 1) return null
      folds.push({ op, others: args.filter((a) => a !== varying[0]).map((a) => this.t.constants.array(a)) })
      at = varying[0]!
    }
  }

  private variableOf(id: ConstantId): string | null {
    return this.names.get(this.t.constant(id)) ?? null
  }

  private dependsOnVariable(id: ConstantId): boolean {
    if (this.variableOf(id) !== null) return true
    return this.t.folds.get(id)?.args.some((a) => this.dependsOnVariable(a)) ?? false
  }
}

const namesIn = (template: Template): readonly string[] =>
  template.kind === 'node' ? template.children.flatMap(namesIn) : template.kind === 'constant' ? [] : [template.name]

/** Equal keys propose the same bindings. */
export function templateKey(template: Template): string {
  switch (template.kind) {
    case 'variable':
      return template.name
    case 'constant':
      return '#'
    case 'folded':
      return `${template.name}${template.folds.map((f) => `~${familyOf(f.op)}${JSON.stringify(f.op)}`).join('')}`
    case 'node':
      return `${template.family}(${template.children.map(templateKey).join(',')})`
    default:
      return template satisfies never
  }
}

/** Levels of e-nodes below the root. */
export function depthOf(template: Template): number {
  return template.kind === 'node' ? 1 + Math.max(0, ...template.children.map(depthOf)) : 0
}
