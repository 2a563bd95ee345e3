// `report RUN`: the page again, from a stored record. A page is a pure function of its record.
import { readFileSync } from 'node:fs'
import writeFileAtomic from 'write-file-atomic'
import { requireNewFile, requireWritableFile } from '../../base/output.ts'
import { type Answer, defineCommand } from '../command.ts'
import { textOption } from '../option.ts'
import { findRecord } from '../records.ts'

const defaultPage = (record: string): string => `${record.replace(/(\.run)?\.json$/, '')}.report.html`

async function render(path: string): Promise<string> {
  // Loaded here: drawing charts is heavy, and other verbs need none of it.
  const { COMPARE_SCHEMA, readComparison, readRun, renderCompare, renderRun } = await import('../../report/index.ts')
  const isComparison = readFileSync(path, 'utf8').includes(`"${COMPARE_SCHEMA}"`)
  return isComparison ? renderCompare(readComparison(path)) : renderRun(readRun(path))
}

export const report = defineCommand({
  name: 'report',
  operands: '<run>',
  summary: 'the HTML page again, from the stored record of a run',
  examples: [
    ['model.fast.run.json --force', 'writes model.fast.report.html'],
    ['model.fast.onnx -o page.html', 'the record that lies beside a model'],
  ],
  schemaVersion: 1,
  options: { output: textOption('-o, --output <file>', 'where the page goes (default: beside the record)') },
  async run({ operands, options }): Promise<Answer> {
    const record = findRecord(operands[0]!)
    const page = options.output ?? defaultPage(record)
    requireNewFile(page, options.force, 'name another with -o, or pass --force')
    requireWritableFile(page)
    const html = await render(record)
    await writeFileAtomic(page, html)
    return { data: { run: record, report: page }, text: `wrote ${page}` }
  },
})
