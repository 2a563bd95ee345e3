// Graphs full of kernels worth timing. A hot loop over one operator runs at 0.8 of its time inside a model, and independent
// nodes on fresh graph inputs at 1.35 (measured); so each graph holds about twenty kernels, each fed by a Neg and consumed by
// a slice of one element. Operators and sizes are drawn from what real models have, and from kernels that were seen in some.
import type { Random } from '../../base/random.ts'
import type { Graph } from '../../ir/graph.ts'
import { elementCount } from '../../ir/shape.ts'
import type { Kernel } from '../kernel.ts'
import { opClassOf } from '../op-class.ts'
import { Kit, type Recipe } from './kit.ts'
import { rebuild } from './rebuild.ts'
import { CONV_RECIPES } from './recipes-conv.ts'
import { MOVE_RECIPES } from './recipes-move.ts'
import { PRODUCT_RECIPES } from './recipes-product.ts'
import { WISE_RECIPES } from './recipes-wise.ts'

/** All recipes. To add one: one row in its file. */
export const RECIPES: readonly Recipe[] = [...CONV_RECIPES, ...PRODUCT_RECIPES, ...WISE_RECIPES, ...MOVE_RECIPES]

const TOTAL = RECIPES.reduce((sum, r) => sum + r.weight, 0)

/** Share of kernels that are rebuilt from seen ones, where there are any. */
const SEEN_SHARE = 0.4

function drawRecipe(random: Random): Recipe {
  let at = random.next() * TOTAL
  for (const recipe of RECIPES) {
    at -= recipe.weight
    if (at < 0) return recipe
  }
  return RECIPES[0]!
}

/** The graph's own scaffolding, views, and what a runtime inserts by itself tell nothing new. */
const isWorthRebuilding = (k: Kernel): boolean =>
  k.op !== 'Neg' && !['view', 'reorder'].includes(opClassOf(k)) && !isCut(k)
const isCut = (k: Kernel): boolean => k.op === 'Slice' && elementCount(k.outputs[0]!.shape) === 1

/** A graph of `count` recipes (some of several kernels), all float32 inputs with fixed shapes. The same random stream, the same graph. */
export function syntheticGraph(random: Random, count: number, seen: readonly Kernel[] = []): Graph {
  const kit = new Kit('synthetic', random)
  const models = seen.filter(isWorthRebuilding)
  for (let i = 0; i < count; i++) {
    const again = models.length > 0 && kit.chance(SEEN_SHARE) ? rebuild(kit, random.pick(models)) : null
    kit.finish(again ?? drawRecipe(random).build(kit))
  }
  return kit.build()
}
