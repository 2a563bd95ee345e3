// Command lines as text that a shell takes back.

/** An argument as a POSIX shell would take it. */
export function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`
}

/** `allotrope` and its arguments. */
export function commandLine(argv: readonly string[]): string {
  return ['allotrope', ...argv.map(quoted)].join(' ')
}
