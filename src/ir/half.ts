// IEEE 754 binary16 and bfloat16 as bit patterns, round to nearest even. Node 20 has no Float16Array; when it is the
// oldest supported runtime that has, this file goes.

const f32 = new Float32Array(1)
const u32 = new Uint32Array(f32.buffer)

/** Bit pattern -> number. */
export function decodeFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** Number -> bit pattern, rounding to nearest even; overflow to infinity. */
export function encodeFloat16(x: number): number {
  if (Number.isNaN(x)) return 0x7e00
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0
  const a = Math.abs(x)
  if (a >= 65520) return sign | 0x7c00
  if (a < 2 ** -14) return sign | roundEven(a * 2 ** 24)
  let exponent = Math.floor(Math.log2(a))
  if (2 ** exponent > a) exponent--
  const mantissa = roundEven((a / 2 ** exponent - 1) * 1024)
  return sign | (((exponent + 15) << 10) + mantissa)
}

function roundEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  if (rest !== 0.5) return Math.round(x)
  return floor % 2 === 0 ? floor : floor + 1
}

export function decodeBfloat16(bits: number): number {
  u32[0] = bits << 16
  return f32[0]!
}

/** Number -> bit pattern, rounding once to nearest even, although the way leads over float32. */
export function encodeBfloat16(x: number): number {
  if (Number.isNaN(x)) return 0x7fc0
  f32[0] = x
  const bits = u32[0]!
  const kept = bits >>> 16
  const dropped = bits & 0xffff
  // What looks like a tie in float32 is none if float32 itself was rounded.
  const past = dropped === 0x8000 ? Math.abs(x) - Math.abs(f32[0]!) : 0
  const up = dropped > 0x8000 || (dropped === 0x8000 && (past > 0 || (past === 0 && (kept & 1) === 1)))
  return (up ? kept + 1 : kept) & 0xffff
}
