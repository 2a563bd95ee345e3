// Windows for spectra: Hann, Hamming and Blackman, sums of cosines over their length.
import { getInt } from '../attribute.ts'
import { type DType, dtypeFromOnnx } from '../dtype.ts'
import type { Call, Op } from '../op.ts'
import { contentsOf } from './contents.ts'
import { storeAs } from './define.ts'
import { arrayOf, reject } from './operands.ts'

function dtypeOf(call: Call): DType {
  const code = getInt(call.attributes, 'output_datatype', 1)
  return dtypeFromOnnx(code) ?? reject(call, 'the number of a dtype', String(code))
}

/** A window of `size` numbers: the sum of terms[k] * cos(2 pi k i / period). */
const window = (name: string, terms: readonly number[]): Op => ({
  name,
  domain: '',
  sinceOpset: 17,
  attributes: { output_datatype: { kind: 'int', default: 1 }, periodic: { kind: 'int', default: 1 } },
  infer: (call) => {
    const size = contentsOf(call, 0)?.[0] ?? null
    return [size === null ? null : { dtype: dtypeOf(call), shape: [size] }]
  },
  evaluate: (call, inputs) => {
    const size = arrayOf(call, inputs, 0).data[0]!
    const period = getInt(call.attributes, 'periodic', 1) ? size : size - 1
    const at = (i: number) => terms.reduce((sum, term, k) => sum + term * Math.cos((2 * Math.PI * k * i) / period), 0)
    const dtype = dtypeOf(call)
    return [{ dtype, shape: [size], data: Float64Array.from({ length: size }, (_, i) => storeAs(dtype, at(i))) }]
  },
})

export const windows: readonly Op[] = [
  window('HannWindow', [0.5, -0.5]),
  window('HammingWindow', [25 / 46, -21 / 46]),
  window('BlackmanWindow', [0.42, -0.5, 0.08]),
]
