// Reads NumPy's .npy files, versions 1 to 3 (numpy.lib.format): a magic string, a header that is a Python dictionary
// literal, and the elements. Little-endian, C order, the element types that both NumPy and ONNX have.
import { UserError } from '../base/errors.ts'
import { bytesOf, type DType } from '../ir/dtype.ts'
import { elementCount } from '../ir/shape.ts'
import type { Tensor } from '../ir/tensor.ts'

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] // \x93NUMPY

const DTYPE_OF: Readonly<Record<string, DType>> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  u1: 'uint8',
  i2: 'int16',
  u2: 'uint16',
  i4: 'int32',
  u4: 'uint32',
  i8: 'int64',
  u8: 'uint64',
  b1: 'bool',
}

/** The array in a .npy file. `where` is for errors. */
export function parseNpy(file: Uint8Array, where: string): Tensor {
  if (file.length < 12 || MAGIC.some((b, i) => file[i] !== b)) throw bad(where, 'a .npy file', 'another format')
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const wide = file[6]! >= 2
  const start = wide ? 12 : 10
  const end = start + (wide ? view.getUint32(8, true) : view.getUint16(8, true))
  const { dtype, shape } = parseHeader(new TextDecoder('latin1').decode(file.subarray(start, end)), where)
  const bytes = file.subarray(end)
  const expected = bytesOf(dtype, elementCount(shape))
  if (bytes.length !== expected) throw bad(where, `${expected} bytes for ${dtype}[${shape}]`, String(bytes.length))
  return { dtype, shape, bytes }
}

function parseHeader(header: string, where: string): { dtype: DType; shape: number[] } {
  const descr = /'descr'\s*:\s*'([<|=>])([a-z]\d+)'/.exec(header)
  const shape = /'shape'\s*:\s*\(([\d,\s]*)\)/.exec(header)
  const dtype = descr && DTYPE_OF[descr[2]!]
  if (!dtype || !shape) throw bad(where, 'a plain array of numbers', header.trim())
  if (descr[1] === '>') throw bad(where, 'little-endian elements', 'big-endian ones')
  if (!/'fortran_order'\s*:\s*False/.test(header)) throw bad(where, 'C order', 'Fortran order')
  return {
    dtype,
    shape: shape[1]!
      .split(',')
      .filter((s) => s.trim() !== '')
      .map(Number),
  }
}

function bad(where: string, expected: string, got: string): UserError {
  return new UserError({ code: 'bad-input-file', where, expected, got, fix: 'save it with numpy.save' })
}
