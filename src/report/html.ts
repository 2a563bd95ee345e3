// HTML from templates in which every interpolated text is escaped, so that no name from a model file can become markup.

/** Markup that is safe to insert as it stands. Made by `html` and `trusted` only. */
export interface Html {
  readonly kind: 'html'
  readonly markup: string
}

export type Insert = Html | string | number | null | readonly Insert[]

/** `html\`<p>${name}</p>\``: texts and numbers are escaped, Html is inserted, null is nothing, lists are joined. */
export function html(parts: TemplateStringsArray, ...inserts: readonly Insert[]): Html {
  return { kind: 'html', markup: parts.map((part, i) => (i === 0 ? part : markupOf(inserts[i - 1]!) + part)).join('') }
}

/** Markup that this program wrote itself: style sheets, charts. */
export function trusted(markup: string): Html {
  return { kind: 'html', markup }
}

function markupOf(insert: Insert): string {
  if (insert === null) return ''
  if (typeof insert === 'string' || typeof insert === 'number') return escapeText(String(insert))
  return isList(insert) ? insert.map(markupOf).join('') : insert.markup
}

const isList = (insert: Html | readonly Insert[]): insert is readonly Insert[] => Array.isArray(insert)

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Safe inside elements and inside quoted attributes; control characters, which HTML forbids, become U+FFFD. */
export function escapeText(text: string): string {
  return printable(text).replaceAll(/[&<>"']/g, (c) => ENTITIES[c]!)
}

/** Control characters but tab and newline, lone surrogates, and marks that reorder text, replaced by U+FFFD. */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\t\n]|\p{Cs}|[\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
}
