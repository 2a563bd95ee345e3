// Writes docs/published-rules.md from what the search makes of each published rule: part of `npm run docs`. A test holds the file to it.
import { realpathSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { publishedDocument } from '../test/rewrite/published/document.ts'

export const PUBLISHED_DOCUMENT = new URL('../docs/published-rules.md', import.meta.url)

if (process.argv[1] && realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url))) {
  writeFileSync(PUBLISHED_DOCUMENT, publishedDocument())
}
