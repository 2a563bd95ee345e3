// Root graphs of a dataset: workloads by name, and model files.
import { basename } from 'node:path'
import { UserError } from '../base/errors.ts'
import { nameFilter } from '../base/glob.ts'
import { shortHash } from '../base/hash.ts'
import { createRandom } from '../base/random.ts'
import { drawInputs, findWorkload, USUAL_SIZES, workloads } from '../dataset/workloads/index.ts'
import { modelOf, readModelBytes, readModelFile } from '../onnx/index.ts'
import type { Feeds } from '../runtime/index.ts'
import { type Prepared, prepareGraph, prepareModel } from './prepare.ts'

export type Root =
  | {
      readonly kind: 'workload'
      readonly id: string
      readonly name: string
      readonly family: string
      readonly size: string
      readonly seed: number
    }
  | {
      readonly kind: 'file'
      readonly id: string
      readonly name: string
      readonly family: string
      readonly path: string
      readonly seed: number
    }

export interface LoadedRoot {
  readonly root: Root
  readonly prepared: Prepared
  /** Inputs to time with, where the workload says how they look; null: drawn from their types. */
  readonly feeds: Feeds | null
}

/** The roots that the sources name: `conv*`, `bert:full`, `all`, `model.onnx`; a slow size only by its name. Throws UserError on a name that is nothing. */
export function rootsOf(sources: readonly string[], seed: number): readonly Root[] {
  const roots = sources.flatMap((source) =>
    source.endsWith('.onnx') ? [fileRoot(source, seed)] : workloadRoots(source, seed),
  )
  return [...new Map(roots.map((r) => [r.id, r])).values()]
}

/** Throws UserError where the file is no model: before anything else is measured. */
function fileRoot(path: string, seed: number): Root {
  readModelFile(path)
  const name = basename(path)
  return {
    kind: 'file',
    id: `${name}-${shortHash(readModelBytes(path))}`,
    name,
    family: name.replace(/[._-].*$/, ''),
    path,
    seed,
  }
}

function workloadRoots(source: string, seed: number): Root[] {
  const [pattern, wanted] = source.split(':') as [string, string?]
  const matches = nameFilter(pattern === 'all' ? '*' : pattern)
  const found = workloads.filter((w) => matches(w.name))
  const chosen = found.length > 0 ? found : [findWorkload(pattern)]
  const sizes = [...new Set(chosen.flatMap((w) => w.sizes))]
  if (wanted !== undefined && !sizes.includes(wanted)) throw unknownSize(source, sizes, wanted)
  return chosen.flatMap((w) =>
    w.sizes
      .filter((size) => (wanted === undefined ? USUAL_SIZES.includes(size) : size === wanted))
      .map(
        (size): Root => ({
          kind: 'workload',
          id: `${w.name}:${size}:${seed}`,
          name: `${w.name}:${size}`,
          family: w.family,
          size,
          seed,
        }),
      ),
  )
}

function unknownSize(source: string, sizes: readonly string[], got: string): UserError {
  const expected = `one of the sizes ${sizes.join(', ')}`
  const fix = 'name one of these, or none for the usual ones'
  return new UserError({ code: 'unknown-workload', where: `workload ${source}`, expected, got, fix })
}

/** The graph of a root, ready for the search, and its inputs. */
export function loadSource(root: Root): LoadedRoot {
  if (root.kind === 'file')
    return { root, prepared: prepareModel(root.path, { shapes: new Map(), samples: () => new Map() }), feeds: null }
  const workload = findWorkload(root.name.split(':')[0]!)
  const graph = workload.build(root.size, root.seed)
  const feeds = drawInputs(graph, workload.inputs(root.size), createRandom(root.seed))
  return { root, prepared: prepareGraph(modelOf(graph), ''), feeds }
}
