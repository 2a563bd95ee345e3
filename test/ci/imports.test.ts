import { expect } from 'chai'
import { importsOf } from '../../.ci/imports.mjs'

const specifiers = (text: string) => importsOf(text).map((i) => i.specifier)

describe('the import finder', () => {
  it('finds every way to import', () => {
    const text = `
import './a.ts'
import b from './b.ts'
import type { C } from "./c.ts"
import {
  d1,
  d2,
} from './d.ts'
export * from './e.ts'
export type { F } from './f.ts'
export { g } from './g.ts'
const h = await import('./h.ts')
type I = import('./i.ts').I
new Worker(new URL('./j.ts', import.meta.url))
`
    expect(specifiers(text)).to.deep.equal('abcdefghij'.split('').map((x) => `./${x}.ts`))
  })

  it('reports the line of each import', () => {
    expect(importsOf("// one\n\nimport {\n  a,\n} from './a.ts'\n")).to.deep.equal([
      { specifier: './a.ts', line: 5, kind: 'import' },
    ])
  })

  it('ignores imports in comments, strings, templates and regular expressions', () => {
    const text = [
      "// import './a.ts'",
      "/* import './a.ts' */",
      `const s = "import './a.ts'"`,
      "const t = `\nimport './a.ts'\n`",
      "const r = /import '.\\/a.ts'[/']/",
      "const half = 4 / 2 // import './a.ts'",
    ].join('\n')
    expect(specifiers(text)).to.deep.equal([])
  })

  it('reads code inside the placeholders of a template', () => {
    expect(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the text under test is code with a template
      specifiers("const t = `x ${`y ${(await import('./a.ts')).b}`} import './no.ts'`\nimport './b.ts'"),
    ).to.deep.equal(['./a.ts', './b.ts'])
  })

  it('is not misled by an exported name that is not a re-export', () => {
    expect(
      specifiers("export const from = 'x'\nexport function f() { return from }\nconst k = import.meta.url\n"),
    ).to.deep.equal([])
  })

  it('goes on after a quote inside a regular expression', () => {
    expect(specifiers("const q = x.replace(/'/g, '')\nimport './a.ts'")).to.deep.equal(['./a.ts'])
  })
})
