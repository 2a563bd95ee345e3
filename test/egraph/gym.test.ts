// extraction-gym: other people's e-graphs, with the sums that its Rust extractors reach. Skipped where the data is absent.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createRandom } from '../../src/base/random.ts'
import { extractExact } from '../../src/egraph/extract/exact.ts'
import { extractGreedyDag } from '../../src/egraph/extract/greedy-dag.ts'
import { improveLocally } from '../../src/egraph/extract/local-search.ts'
import { extractPerturbed } from '../../src/egraph/extract/perturb.ts'
import type { Problem } from '../../src/egraph/extract/problem.ts'
import { type Extraction, faultOf } from '../../src/egraph/extract/selection.ts'
import { extractTree } from '../../src/egraph/extract/tree.ts'
import { readGymProblem } from './support/gym.ts'
import { sharedFile } from './support/shared.ts'

const ARCHIVE = sharedFile('extraction-gym.tar.xz')

describe(`extraction-gym${ARCHIVE === null ? ' (shared data absent)' : ''}`, function () {
  this.timeout(60_000)
  let folder = ''

  before(function () {
    if (ARCHIVE === null) return this.skip()
    folder = mkdtempSync(join(tmpdir(), 'allotrope-gym-'))
    execFileSync('tar', ['xJf', ARCHIVE, '-C', folder])
  })

  after(() => {
    if (folder !== '') rmSync(folder, { recursive: true })
  })

  const problemsIn = (set: string): Problem[] =>
    readdirSync(join(folder, set))
      .filter((name) => name.endsWith('.json'))
      .map((name) => readGymProblem(join(folder, set, name)))

  const localSearch = (problem: Problem): Extraction =>
    improveLocally(problem, extractTree(problem).chosen, {
      random: createRandom(1),
      timeLimitMs: 1e6,
      moveLimit: 12_000,
    })

  it('its fuzz regressions are extracted soundly by everybody', () => {
    for (const problem of problemsIn('test_data/fuzz')) {
      const results = [
        extractTree(problem),
        extractGreedyDag(problem),
        extractPerturbed(problem, { random: createRandom(1), tries: 10 }),
        localSearch(problem),
      ]
      for (const e of results) expect(faultOf(problem, e.chosen)).to.equal(null)
      expect(results[3]!.cost).to.be.at.most(results[0]!.cost + 1e-9)
    }
  })

  it('on its fuzz regressions nobody beats a proved optimum', async () => {
    for (const problem of problemsIn('test_data/fuzz').slice(0, 4)) {
      const exact = await extractExact(problem, { timeLimitMs: 2000 })
      const others = [extractTree(problem), extractGreedyDag(problem), localSearch(problem)]
      for (const e of others) expect(e.cost).to.be.at.least(exact.bound - 1e-6 * Math.abs(exact.bound))
      expect(exact.cost).to.be.at.most(Math.min(...others.map((e) => e.cost)) + 1e-9)
    }
  })

  for (const [set, best] of [
    ['egg', 86],
    ['flexc', 1181],
    ['impress', 136_680],
    ['tensat', 20.19],
  ] as const)
    it(`on ${set} local search reaches ${best} in all, the best of the Rust heuristics`, () => {
      const total = problemsIn(`data/${set}`).reduce((sum, problem) => sum + localSearch(problem).cost, 0)
      expect(total).to.be.at.most(best + 1e-9)
    })
})
