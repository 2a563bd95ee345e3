// The catalogue of rules: one family per file. To add a rule, add an entry to its family; it is then searched, listed by
// `allotrope rules`, and checked on random shapes and values by the tests.
import type { Rule } from '../rule.ts'
import { activationRules } from './activation.ts'
import { algebraRules } from './algebra.ts'
import { constantRules } from './constant.ts'
import { convRules } from './conv.ts'
import { deadRules } from './dead.ts'
import { extremeRules } from './extreme.ts'
import { gatherRules } from './gather.ts'
import { layoutRules } from './layout.ts'
import { linearRules } from './linear.ts'
import { mergeRules } from './merge.ts'
import { movementRules } from './movement.ts'
import { phaseRules } from './phases.ts'
import { recogniseRules } from './recognise.ts'
import { recurrentRules } from './recurrent.ts'
import { reductionRules } from './reduction.ts'
import { resizeRules } from './resize.ts'
import { scaleRules } from './scale.ts'
import { scatterRules } from './scatter.ts'
import { seedRules } from './seed.ts'
import { selectRules } from './select.ts'
import { spaceToDepthRules } from './space-to-depth.ts'
import { stackRules } from './stack.ts'
import { subPixelRules } from './sub-pixel.ts'
import { subnormalRules } from './subnormal.ts'

export interface RuleFamily {
  readonly name: string
  /** When it runs: recognition to its own fixed point first, then the search, then the layout; seed rules only on demand. */
  readonly phase: 'recognise' | 'search' | 'layout' | 'on-demand'
  readonly rules: readonly Rule[]
  /** For CPUs only, which have a blocked layout. */
  readonly isOfBlocks?: boolean
}

export const ruleFamilies: readonly RuleFamily[] = [
  { name: 'recognise', phase: 'recognise', rules: recogniseRules },
  { name: 'movement', phase: 'search', rules: [...selectRules, ...movementRules, ...gatherRules, ...recurrentRules] },
  { name: 'linear', phase: 'search', rules: [...linearRules, ...reductionRules, ...scatterRules] },
  { name: 'scale', phase: 'search', rules: scaleRules },
  { name: 'constant', phase: 'search', rules: constantRules },
  { name: 'conv', phase: 'search', rules: convRules },
  { name: 'sub-pixel', phase: 'search', rules: [...subPixelRules, ...phaseRules, ...spaceToDepthRules] },
  { name: 'merge', phase: 'search', rules: [...mergeRules, ...stackRules] },
  { name: 'dead', phase: 'search', rules: deadRules },
  { name: 'algebra', phase: 'search', rules: algebraRules },
  { name: 'extreme', phase: 'search', rules: extremeRules },
  { name: 'activation', phase: 'search', rules: activationRules },
  { name: 'resize', phase: 'layout', rules: resizeRules },
  { name: 'layout', phase: 'layout', rules: layoutRules, isOfBlocks: true },
  { name: 'subnormal', phase: 'layout', rules: subnormalRules, isOfBlocks: true },
  { name: 'seed', phase: 'on-demand', rules: seedRules },
]

/** All rules of a phase; `isBlocked`: also those for runtimes with a blocked layout. */
export function rulesOf(phase: RuleFamily['phase'], isBlocked = true): readonly Rule[] {
  return ruleFamilies.filter((f) => f.phase === phase && (isBlocked || !f.isOfBlocks)).flatMap((f) => f.rules)
}
