// Bilinear sampling of one point of a plane.

export interface Tap {
  readonly at: number
  readonly weight: number
}

/** The four neighbours of (y, x) in a plane and their bilinear weights; outside neighbours are left out. */
export function bilinear(y: number, x: number, height: number, width: number): Tap[] {
  const [top, left] = [Math.floor(y), Math.floor(x)]
  const corners = [top, top + 1].flatMap((row) => [left, left + 1].map((column) => [row, column] as const))
  return corners.flatMap(([row, column]) => {
    if (row < 0 || row >= height || column < 0 || column >= width) return []
    const weight = (1 - Math.abs(y - row)) * (1 - Math.abs(x - column))
    return weight === 0 ? [] : [{ at: row * width + column, weight }]
  })
}
