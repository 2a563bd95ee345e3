// Splits of a dataset for judging: whole families, or whole root graphs, never rows: variants of one graph are near-copies,
// and a model that has seen one has seen them all.
import { createRandom } from '../base/random.ts'

export interface Fold {
  /** What is left out: a family, or a list of roots. */
  readonly name: string
  readonly roots: ReadonlySet<string>
}

export interface RootOfFamily {
  readonly root: string
  readonly family: string
}

/** One fold per family, in alphabetical order: each leaves out all roots of a family. */
export function leaveOneFamilyOut(graphs: readonly RootOfFamily[]): readonly Fold[] {
  const families = [...new Set(graphs.map((g) => g.family))].sort()
  return families.map((name) => ({ name, roots: new Set(graphs.filter((g) => g.family === name).map((g) => g.root)) }))
}

/** At most `folds` folds of whole families, dealt out by their number of roots; every family is left out exactly once. */
export function leaveFamiliesOut(graphs: readonly RootOfFamily[], folds: number, seed: number): readonly Fold[] {
  const single = leaveOneFamilyOut(graphs)
  if (single.length <= folds) return single
  const random = createRandom(seed)
  const ordered = random.shuffle(single).sort((a, b) => b.roots.size - a.roots.size)
  return Array.from({ length: folds }, (_, i) => {
    const dealt = ordered.filter((__, at) => at % folds === i)
    return {
      name: `${dealt.length} families ${i + 1}/${folds}`,
      roots: new Set(dealt.flatMap((f) => [...f.roots])),
    }
  })
}

/** `folds` folds of roots, equally large, every root in exactly one. Families are dealt out evenly: a left-out root has relatives. */
export function leaveRootsOut(graphs: readonly RootOfFamily[], folds: number, seed: number): readonly Fold[] {
  const random = createRandom(seed)
  const ordered = leaveOneFamilyOut(graphs).flatMap((f) => random.shuffle([...f.roots].sort()))
  const count = Math.min(folds, ordered.length)
  return Array.from({ length: count }, (_, i) => ({
    name: `roots ${i + 1}/${count}`,
    roots: new Set(ordered.filter((__, at) => at % count === i)),
  }))
}
