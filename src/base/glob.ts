// Names chosen by pattern: `merge-*,!merge-matmul-*`. `*` stands for any characters, `?` for one; `!` takes names out again.

const escaped = (text: string) => text.replace(/[.+^${}()|[\]\\]/g, '\\$&')

function toRegExp(glob: string): RegExp {
  return new RegExp(`^${escaped(glob).replaceAll('*', '.*').replaceAll('?', '.')}$`)
}

/** Whether names match a comma-separated list of patterns. A list of exclusions alone starts from all names; spaces do not count. */
export function nameFilter(patterns: string): (name: string) => boolean {
  const list = patterns
    .split(',')
    .map((p) => p.trim())
    .filter((p) => p !== '')
  const wanted = list.filter((p) => !p.startsWith('!')).map(toRegExp)
  const unwanted = list.filter((p) => p.startsWith('!')).map((p) => toRegExp(p.slice(1)))
  return (name) => (wanted.length === 0 || wanted.some((r) => r.test(name))) && !unwanted.some((r) => r.test(name))
}
