// An additive table of measured operators, as TASO and TENSAT price graphs: the median time of exactly this kernel where it
// was measured; else of its operator at about its size (powers of two of bytes); else of its operator; else of everything.

import type { KernelFacts } from '../features.ts'
import { kernelSignature } from '../kernel.ts'
import { type Baseline, type KernelLabel, medianOf } from './baseline.ts'

const exactKey = (f: KernelFacts): string => kernelSignature(f.kernel)
const sizeKey = (f: KernelFacts): string =>
  `${f.kernel.op}/${Math.round(Math.log2(f.work.bytesRead + f.work.bytesWritten + 1))}`
const opKey = (f: KernelFacts): string => f.kernel.op

function medians(labels: readonly KernelLabel[], key: (f: KernelFacts) => string): ReadonlyMap<string, number> {
  const groups = new Map<string, number[]>()
  for (const { facts, micros } of labels) {
    const group = groups.get(key(facts))
    if (group) group.push(micros)
    else groups.set(key(facts), [micros])
  }
  return new Map([...groups].flatMap(([k, list]) => (medianOf(list) === null ? [] : [[k, medianOf(list)!]])))
}

export const opTable: Baseline = {
  name: 'opTable',
  meaning: 'median measured time of the same kernel, else of its operator at its size',
  fit: ({ labels }) => {
    const exact = medians(labels, exactKey)
    const bySize = medians(labels, sizeKey)
    const byOp = medians(labels, opKey)
    const overall = medianOf(labels.map((l) => l.micros)) ?? 1
    const price = (f: KernelFacts) => exact.get(exactKey(f)) ?? bySize.get(sizeKey(f)) ?? byOp.get(opKey(f)) ?? overall
    return { name: 'opTable', priceFacts: (facts) => Float64Array.from(facts, price) }
  },
}
