// The page of one optimisation.
import { baseName } from './format.ts'
import { renderPage } from './page.ts'
import type { RunRecord } from './record.ts'
import { header } from './sections/run/header.ts'
import { runSections } from './sections/run/index.ts'

/** One self-contained HTML page; the same record gives the same page. */
export async function renderRun(record: RunRecord): Promise<string> {
  const sections = await Promise.all(runSections.map((section) => section(record)))
  return renderPage({
    title: `${baseName(record.input)} \u2013 Allotrope`,
    header: header(record),
    sections,
    footer: `Made by Allotrope from ${baseName(record.input)}. This page is one file, loads nothing and runs no script.`,
  })
}
