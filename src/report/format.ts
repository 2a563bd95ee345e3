// Numbers as the pages write them.

/** Three significant digits, at most three decimals: `0.012 ms`, `3.65 ms`, `412 ms`. */
export function formatMs(ms: number): string {
  return `${significant(ms)} ms`
}

export function significant(x: number): string {
  if (x === 0) return '0'
  if (x >= 100) return x.toFixed(0)
  if (x >= 10) return x.toFixed(1)
  if (x >= 1) return x.toFixed(2)
  return x >= 0.001 ? x.toFixed(3) : x.toExponential(1)
}

/** `1.65x`, with the sign of multiplication. */
export function formatRatio(ratio: number): string {
  return `${ratio.toFixed(2)}\u00d7`
}

export function formatPercent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`
}

/** `2.4\u00d710\u207b\u2076`, or 0; what differs in kind (`Number.MAX_VALUE` in a record) is said in words. */
export function formatError(x: number): string {
  if (x === 0) return '0'
  if (x >= Number.MAX_VALUE) return 'not comparable'
  const [digits, exponent] = x.toExponential(1).split('e') as [string, string]
  return `${digits}\u00d710${superscript(Number(exponent))}`
}

function superscript(n: number): string {
  return [...String(n)]
    .map((c) => (c === '-' ? '\u207b' : '\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079'[Number(c)]!))
    .join('')
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  const scaled = bytes / 1000 ** step
  return `${step === 0 ? scaled : scaled.toFixed(scaled < 10 ? 1 : 0)} ${units[step]}`
}

/** Thousands apart by a thin no-break space. */
export function formatCount(n: number): string {
  return String(n).replaceAll(/\B(?=(\d{3})+(?!\d))/g, '\u202f')
}

/** Last part of a path. */
export function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1) || path
}

/** The date of an ISO timestamp, with minutes, in UTC. */
export function formatDate(iso: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(iso) ? `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC` : iso
}
