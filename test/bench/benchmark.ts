// What a benchmark is. Benchmarks print; they assert nothing about time.

export interface Benchmark {
  readonly name: string
  /** One line for the list. */
  readonly about: string
  /** Runs and prints to standard output. `args`: what follows the name on the command line. */
  run(args: readonly string[]): void | Promise<void>
}

/** Seconds of the fastest of `repeats` runs, and of the median one. */
export function timeRuns(repeats: number, run: () => void): { readonly bestS: number; readonly medianS: number } {
  const seconds = Array.from({ length: repeats }, () => {
    const started = performance.now()
    run()
    return (performance.now() - started) / 1000
  }).sort((a, b) => a - b)
  return { bestS: seconds[0]!, medianS: seconds[seconds.length >> 1]! }
}

/** Rows as aligned text, the first column to the left, the others to the right. */
export function printTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const lines = [head, ...rows.map((row) => row.map(String))]
  const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)))
  for (const line of lines)
    console.log(line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '))
}
