import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { PUBLISHED_DOCUMENT } from '../../.ci/published-doc.ts'
import { lineOf, needsReason, publishedDocument, type Row, rowOf, unsoundness } from './published/document.ts'
import { publishedLaws } from './published/notation.ts'
import { agrees } from './published/outcome.ts'
import { HOLDS_AT_EQUAL_SIZES, NOT_TAKEN } from './published/reasons.ts'

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]
/** Laws in one test. */
const BATCH = 12

describe('rewrite: the published rules', () => {
  const rows: Row[] = []
  const written = readFileSync(PUBLISHED_DOCUMENT, 'utf8')

  it('are 151, and each holds on numbers unless it is said to be wrong', () => {
    expect(publishedLaws.map((l) => l.number)).to.deep.equal(Array.from({ length: 151 }, (_, i) => i + 1))
    for (const law of publishedLaws) {
      const holds = SEEDS.every((seed) => agrees(law, seed))
      expect(holds, `${law.number}: ${law.text}`).to.equal(unsoundness(law) === null)
    }
  })

  it('hold at equal sizes where that is the condition', () => {
    for (const law of publishedLaws.filter((l) => unsoundness(l) !== null))
      expect(agrees(law, 1, true), law.text).to.equal(HOLDS_AT_EQUAL_SIZES.includes(law.number))
  })

  for (let from = 0; from < publishedLaws.length; from += BATCH) {
    const laws = publishedLaws.slice(from, from + BATCH)
    it(`${laws[0]!.number} to ${laws.at(-1)!.number} fare as docs/published-rules.md says; otherwise run \`npm run docs\``, () => {
      for (const law of laws) {
        const row = rowOf(law)
        rows.push(row)
        expect(written).to.include(lineOf(row))
      }
    }).timeout(120_000)
  }

  it('have a reason exactly where the right side is missed', () => {
    const needed = rows.filter(needsReason).map((r) => r.law.number)
    const given = NOT_TAKEN.flatMap((r) => r.laws)
    expect(needed.filter((n) => !given.includes(n))).to.deep.equal([])
    const idle = NOT_TAKEN.filter((r) => !r.laws.some((n) => needed.includes(n))).map((r) => r.text)
    expect(idle, 'reasons that no law needs').to.deep.equal([])
  })

  it('are counted in the document as they fare', () => {
    expect(written).to.equal(publishedDocument(rows))
  })
})
