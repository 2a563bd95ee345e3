// Two programs as the runtime executes them, and what changed between them: the longest sequence of kernels that both have, in order, is
// what stayed (as `diff` compares lines); the rest was taken away or is new.
import { type KernelTable, kernelSignature } from '../cost/kernel.ts'

/** For each kernel of either program: true if the other has none that corresponds to it. */
export interface GraphDiff {
  readonly before: readonly boolean[]
  readonly after: readonly boolean[]
}

export function diffKernels(before: KernelTable, after: KernelTable): GraphDiff {
  const [a, b] = [before.map(kernelSignature), after.map(kernelSignature)]
  const lengths = commonLengths(a, b)
  const changed = { before: a.map(() => true), after: b.map(() => true) }
  const at = (i: number, j: number) => lengths[i * (b.length + 1) + j]!
  for (let i = 0, j = 0; i < a.length && j < b.length; )
    if (a[i] === b[j]) {
      changed.before[i++] = false
      changed.after[j++] = false
    } else if (at(i + 1, j) >= at(i, j + 1)) i++
    else j++
  return changed
}

/** [i, j]: length of the longest sequence that a from i and b from j have in common. Row-major, one row and column more. */
function commonLengths(a: readonly string[], b: readonly string[]): Int32Array {
  const width = b.length + 1
  const lengths = new Int32Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      lengths[i * width + j] =
        a[i] === b[j]
          ? 1 + lengths[(i + 1) * width + j + 1]!
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!)
  return lengths
}
