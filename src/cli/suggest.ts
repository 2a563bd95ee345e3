// "Did you mean": the known name that is closest to what was typed.

/** Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours. */
export function editDistance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row[j] = Math.min(replaced, last[j]! + 1, row[j - 1]! + 1)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (isSwap) row[j] = Math.min(row[j]!, before[j - 2]! + 1)
    }
    before = last
    last = row
  }
  return last[b.length]!
}

/** The names closest to `typed`, best first, at most three; none where nothing is alike. */
export function suggest(typed: string, names: readonly string[]): readonly string[] {
  const limit = Math.max(2, Math.floor(typed.length * 0.4))
  return names
    .map((name) => ({ name, distance: name.includes(typed) ? 1 : editDistance(typed, name) }))
    .filter((x) => x.distance <= limit)
    .sort((x, y) => x.distance - y.distance)
    .slice(0, 3)
    .map((x) => x.name)
}
