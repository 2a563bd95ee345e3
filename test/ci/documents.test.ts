// What the documents say of this repository: files that they name exist, and so do the scripts of `npm run`.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const inDocs = readdirSync(`${ROOT}docs`, { recursive: true, encoding: 'utf8' }).map((name) => `docs/${name}`)
const documents = ['README.md', 'CONTRIBUTING.md', ...inDocs].filter((name) => name.endsWith('.md'))
const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { scripts: Record<string, string> }

/** A path from the root, without placeholders: at the start of a word, in a folder of ours, with an ending. */
const PATH = /(?<![\w./-])(?:src|test|training|docs|examples|datasets|\.ci)\/[\w./-]+\.\w+/g
const LINK = /\]\((?!https?:|#)([^)#]+)/g

describe('the documents', () => {
  for (const name of documents)
    it(`name only what exists: ${name}`, () => {
      const text = readFileSync(ROOT + name, 'utf8')
      const paths = [...text.matchAll(PATH)].map(([path]) => ROOT + path)
      const folder = new URL(name, new URL('../../', import.meta.url))
      const links = [...text.matchAll(LINK)].map(([, target]) => fileURLToPath(new URL(target!, folder)))
      expect([...paths, ...links].filter((path) => !existsSync(path))).to.deep.equal([])
      const run = [...text.matchAll(/npm run ([a-z][\w:-]*)/g)].map(([, script]) => script!)
      expect(run.filter((script) => !(script in scripts))).to.deep.equal([])
    })
})
