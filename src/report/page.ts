// The frame of every page: one file that needs nothing else, runs no script, and says so in its content policy.
import { type Html, html, trusted } from './html.ts'
import { STYLE } from './style.ts'

export interface Page {
  readonly title: string
  readonly header: Html
  /** In order; null: has nothing to say. */
  readonly sections: readonly (Html | null)[]
  readonly footer: string
}

export function renderPage(page: Page): string {
  const { markup } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${page.title}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<main>
<header>${page.header}</header>
${page.sections}
</main>
<footer>${page.footer}</footer>
</body>
</html>
`
  return markup
}

/** A section with a heading that can be linked to. */
export function section(id: string, heading: string, about: Html | string | null, body: Html | readonly Html[]): Html {
  return html`<section id="${id}"><h2>${heading}</h2>${about === null ? null : html`<p>${about}</p>`}${body}</section>
`
}

export interface Column {
  readonly heading: string
  /** `spare`: a number that narrow screens leave out. */
  readonly kind?: 'number' | 'spare' | 'name' | 'bar'
}

const CLASSES = { number: 'number', spare: 'number spare', name: 'name', bar: 'bar' } as const

export interface Row {
  readonly cells: readonly (Html | string)[]
  /** Marked as the one that the page is about. */
  readonly own?: boolean
}

/** A table whose first column heads its rows. */
export function table(columns: readonly Column[], rows: readonly Row[]): Html {
  const attribute = (i: number) => (columns[i]?.kind ? html` class="${CLASSES[columns[i].kind]}"` : null)
  const cell = (c: Html | string, i: number) =>
    i === 0 ? html`<th scope="row"${attribute(i)}>${c}</th>` : html`<td${attribute(i)}>${c}</td>`
  return html`<div class="scroll"><table>
<thead><tr>${columns.map((c, i) => html`<th scope="col"${attribute(i)}>${c.heading}</th>`)}</tr></thead>
<tbody>${rows.map(
    (r) => html`<tr${r.own ? html` class="own"` : null}>${r.cells.map(cell)}</tr>
`,
  )}</tbody></table></div>`
}

/** The commands to type next. */
export function commands(list: readonly { readonly command: string; readonly purpose: string }[]): Html {
  return html`${list.map((c) => html`<div class="command"><code>${c.command}</code><span>${c.purpose}</span></div>`)}`
}

export function notes(list: readonly string[]): Html {
  return html`<ul class="notes">${list.map((n) => html`<li>${n}</li>`)}</ul>`
}
