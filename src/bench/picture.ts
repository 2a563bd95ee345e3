// Pictures for networks that look at pictures: a smooth background, filled shapes with sharp edges, and rows of strokes like
// text. Values lie in [-1, 1], as after the usual normalisation.
import type { Random } from '../base/random.ts'

export interface PictureLayout {
  readonly images: number
  readonly channels: number
  readonly height: number
  readonly width: number
  readonly channelsLast: boolean
}

/** Row-major values of the whole batch. */
export function drawPicture(layout: PictureLayout, random: Random): Float64Array {
  const { images, channels, height, width, channelsLast } = layout
  const plane = height * width
  const out = new Float64Array(images * channels * plane)
  for (let n = 0; n < images; n++) {
    const grey = drawPlane(height, width, random)
    for (let c = 0; c < channels; c++) {
      const [gain, offset] = [0.7 + 0.3 * random.next(), 0.2 * random.next() - 0.1]
      const [start, step] = channelsLast ? [n * plane * channels + c, channels] : [(n * channels + c) * plane, 1]
      for (let p = 0; p < plane; p++) out[start + p * step] = clamp(gain * grey[p]! + offset)
    }
  }
  return out
}

const clamp = (x: number): number => Math.max(-1, Math.min(1, x))

function drawPlane(height: number, width: number, random: Random): Float64Array {
  const plane = new Float64Array(height * width)
  drawBackground(plane, height, width, random)
  for (let i = 0; i < 3; i++) drawShape(plane, height, width, random)
  drawText(plane, height, width, random)
  return plane
}

/** A tilted gradient with one slow wave. */
function drawBackground(plane: Float64Array, height: number, width: number, random: Random): void {
  const [dx, dy] = [random.next() - 0.5, random.next() - 0.5]
  const [fx, fy, phase] = [3 * random.next(), 3 * random.next(), 6 * random.next()]
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [u, v] = [x / width, y / height]
      plane[y * width + x] = 0.3 + dx * u + dy * v + 0.2 * Math.sin(phase + 2 * Math.PI * (fx * u + fy * v))
    }
}

/** A filled rectangle or ellipse. */
function drawShape(plane: Float64Array, height: number, width: number, random: Random): void {
  const [cx, cy] = [random.below(width), random.below(height)]
  const [rx, ry] = [1 + random.below(Math.ceil(width / 4)), 1 + random.below(Math.ceil(height / 4))]
  const [round, value] = [random.next() < 0.5, 2 * random.next() - 1]
  for (let y = Math.max(0, cy - ry); y < Math.min(height, cy + ry); y++)
    for (let x = Math.max(0, cx - rx); x < Math.min(width, cx + rx); x++)
      if (!round || ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1) plane[y * width + x] = value
}

/** Rows of dark glyphs: each a few vertical and horizontal strokes in a cell. */
function drawText(plane: Float64Array, height: number, width: number, random: Random): void {
  const size = Math.max(6, Math.min(24, Math.floor(height / 3)))
  for (let top = Math.floor(size / 3); top + size <= height; top += 2 * size)
    for (let left = 2; left + size / 2 <= width; left += Math.ceil(size * 0.7))
      if (random.next() < 0.8) drawGlyph(plane, width, { left, top, size }, random)
}

interface Cell {
  readonly left: number
  readonly top: number
  readonly size: number
}

function drawGlyph(plane: Float64Array, width: number, { left, top, size }: Cell, random: Random): void {
  const half = Math.floor(size / 2)
  for (let stroke = 0; stroke < 3; stroke++) {
    const upright = random.next() < 0.5
    const [x0, y0] = [left + random.below(half), top + random.below(size)]
    for (let i = 0; i < half; i++) {
      const [x, y] = upright ? [x0, Math.min(top + size - 1, y0 + i)] : [Math.min(left + half, x0 + i), y0]
      if (x < width) plane[y * width + x] = -0.9
    }
  }
}
