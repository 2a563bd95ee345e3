// The page of one comparison of predicted and measured times.
import type { CompareRecord } from './compare-record.ts'
import { baseName } from './format.ts'
import { renderPage } from './page.ts'
import { header } from './sections/compare/header.ts'
import { compareSections } from './sections/compare/index.ts'

/** One self-contained HTML page; the same record gives the same page. */
export async function renderCompare(record: CompareRecord): Promise<string> {
  const sections = await Promise.all(compareSections.map((section) => section(record)))
  return renderPage({
    title: `${record.modelName} on ${baseName(record.dataset)} \u2013 Allotrope`,
    header: header(record),
    sections,
    footer: `Made by Allotrope from ${baseName(record.dataset)}. This page is one file, loads nothing and runs no script.`,
  })
}
