// Finds the import specifiers of a TypeScript or JavaScript file: static, type-only, re-exported, dynamic, `import('..')`
// types and `new URL('..', import.meta.url)`. A small lexer, so that code inside strings, templates, comments and regular
// expressions is not taken for imports; TypeScript 7 has no stable API that could be asked instead.

/** @typedef {{ kind: 'word' | 'string' | 'punct', text: string, line: number }} Token */
/** @typedef {{ specifier: string, line: number, kind: 'import' | 'url' }} Import */

/** Words after which a slash starts a regular expression. */
const BEFORE_REGEX = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'delete',
  'void',
  'throw',
  'new',
  'else',
  'do',
  'await',
  'yield',
])

/** @param {Token | undefined} previous */
function startsRegex(previous) {
  if (!previous) return true
  if (previous.kind === 'word') return BEFORE_REGEX.has(previous.text)
  return previous.kind === 'punct' && !/[)\]}]/.test(previous.text)
}

/** Index just after the quoted text or regular expression that starts at `at`. @param {string} text @param {number} at */
function endOfQuoted(text, at) {
  const quote = text[at]
  let inClass = false
  for (let i = at + 1; i < text.length; i++) {
    const c = text[i]
    if (c === '\\') i++
    else if (c === '\n') return i
    else if (quote === '/' && c === '[') inClass = true
    else if (quote === '/' && c === ']') inClass = false
    else if (c === quote && !inClass) return i + 1
  }
  return text.length
}

/** Index just after the comment at `at`, or `at` where none starts. @param {string} text @param {number} at */
function endOfComment(text, at) {
  const two = text.slice(at, at + 2)
  const close = two === '//' ? text.indexOf('\n', at) : two === '/*' ? text.indexOf('*/', at + 2) + 2 : at
  return close < at ? text.length : close
}

/** Tokens without comments and white space. A template literal is dropped but for the code in its `${..}`.
 * @param {string} text @returns {Token[]} */
export function tokenize(text) {
  /** @type {Token[]} */
  const tokens = []
  /** Depths of braces at which the code of a template's `${` ends. @type {number[]} */
  const templates = []
  let depth = 0
  let line = 1
  let at = 0
  /** @param {number} end */
  const advance = (end) => {
    for (let i = at; i < end; i++) if (text[i] === '\n') line++
    at = end
  }
  const skipTemplate = () => {
    let end = at
    for (; end < text.length && text[end] !== '`'; end++) {
      if (text[end] === '\\') end++
      else if (text.startsWith('${', end)) {
        templates.push(depth)
        return advance(end + 2)
      }
    }
    tokens.push({ kind: 'punct', text: ')', line })
    advance(end + 1)
  }
  while (at < text.length) {
    const c = text.charAt(at)
    const comment = endOfComment(text, at)
    const word = /[\w$]/.test(c) ? (/^[\w$]+/.exec(text.slice(at, at + 200))?.[0] ?? '') : ''
    if (comment > at) advance(comment)
    else if (/\s/.test(c)) advance(at + 1)
    else if (word) {
      tokens.push({ kind: 'word', text: word, line })
      advance(at + word.length)
    } else if (c === "'" || c === '"') {
      const end = endOfQuoted(text, at)
      tokens.push({ kind: 'string', text: text.slice(at + 1, end - 1), line })
      advance(end)
    } else if (c === '`') {
      advance(at + 1)
      skipTemplate()
    } else if (c === '}' && templates.at(-1) === depth) {
      templates.pop()
      advance(at + 1)
      skipTemplate()
    } else if (c === '/' && startsRegex(tokens.at(-1))) {
      advance(endOfQuoted(text, at))
      tokens.push({ kind: 'punct', text: ')', line })
    } else {
      if (c === '{') depth++
      if (c === '}') depth--
      tokens.push({ kind: 'punct', text: c, line })
      advance(at + 1)
    }
  }
  return tokens
}

/** The string after `from` of the statement whose first word is at `start`, or null. @param {Token[]} tokens @param {number} start */
function fromClause(tokens, start) {
  for (let i = start + 1; i < tokens.length - 1; i++) {
    const token = tokens[i]
    const next = tokens[i + 1]
    if (token?.kind === 'word' && token.text === 'from' && next?.kind === 'string') return next
    if (token?.kind === 'string' || (token?.kind === 'punct' && /[;=()]/.test(token.text))) return null
  }
  return null
}

/** @param {string} text @returns {Import[]} */
export function importsOf(text) {
  const tokens = tokenize(text)
  /** @type {Import[]} */
  const found = []
  /** @param {Token | null | undefined} token @param {Import['kind']} [kind] */
  const add = (token, kind = 'import') => {
    if (token?.kind === 'string') found.push({ specifier: token.text, line: token.line, kind })
  }
  tokens.forEach((token, i) => {
    if (token.kind !== 'word' || tokens[i - 1]?.text === '.') return
    const [next, second] = [tokens[i + 1], tokens[i + 2]]
    const isExport = token.text === 'export' && /^[{*]$/.test((next?.text === 'type' ? second : next)?.text ?? '')
    if (token.text === 'import' && next?.kind === 'string') add(next)
    else if (token.text === 'import' && next?.text === '(') add(second)
    else if (isExport || (token.text === 'import' && next?.text !== '.')) add(fromClause(tokens, i))
    else if (token.text === 'URL' && next?.text === '(' && tokens[i + 4]?.text === 'import') add(second, 'url')
  })
  return found
}
