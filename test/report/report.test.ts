import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { UserError } from '../../src/base/errors.ts'
import { formatBytes, formatCount, formatError, formatMs, formatRatio } from '../../src/report/format.ts'
import { escapeText, html } from '../../src/report/html.ts'
import {
  compareSchema,
  type RunRecord,
  readComparison,
  readRun,
  renderCompare,
  renderRun,
  runSchema,
  writeRecord,
} from '../../src/report/index.ts'
import { comparison, gainRun, noGainRun } from './fixtures.ts'

const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;\u0007\u202e]]>`

/** The same record with every name that a model file can choose replaced. */
function hostileRun(name: string): RunRecord {
  return {
    ...gainRun,
    input: name,
    output: name,
    costModel: name,
    device: name,
    command: name,
    shapes: { [name]: [1] },
    timings: gainRun.timings.map((t) => ({ ...t, name, reason: name })),
    outputs: gainRun.outputs.map((o) => ({ ...o, name })),
    rules: gainRun.rules.map((r) => ({ ...r, name, law: name })),
    kernels: { ...gainRun.kernels!, original: [{ op: name, count: 1, ms: 1 }] },
    steps: gainRun.steps.map(() => ({ rule: name, law: name, where: name, before: name, after: name })),
    graphs: {
      original: [{ op: name, shape: '1', ms: 1, sources: [], changed: true }],
      chosen: [{ op: name, shape: '1', ms: 1, sources: [], changed: true }],
    },
    warnings: [name],
    next: [{ command: name, purpose: name }],
    saturation: { ...gainRun.saturation, stopReason: name },
    machine: { ...gainRun.machine, cpu: name, versions: { [name]: name } },
  }
}

/** Names of all elements in a page. */
function tagsOf(page: string): Set<string> {
  return new Set([...page.matchAll(/<([a-zA-Z][\w-]*)/g)].map((m) => m[1]!.toLowerCase()))
}

const headings = (page: string) =>
  [...page.matchAll(/<h[12]>(.*?)<\/h[12]>/g)].map((m) => m[1]!.replaceAll(/<[^>]*>/g, ''))

describe('the page of a run', () => {
  it('says the verdict first, then the sections in order', async () => {
    expect(headings(await renderRun(gainRun))).to.deep.equal([
      'The model runs 1.13× as fast.',
      'One warning',
      'Time per run',
      'Same outputs',
      'What changed',
      'Rules applied',
      'Steps',
      'Rules that did not fire',
      'What the runtime executes',
      'Predicted and measured',
      'Search',
      'Measured on',
      'Next',
    ])
  })

  it('says plainly that there is no gain, and why', async () => {
    const page = await renderRun(noGainRun)
    expect(headings(page)[0]).to.equal('No gain: the model stays as it is.')
    expect(page).to.contain('No variant is faster than the original beyond the noise of this machine.')
    expect(headings(page)).to.not.include('Same outputs')
  })

  it('does not claim a measured gain where nothing was measured', async () => {
    const predicted: RunRecord = {
      ...gainRun,
      verdict: { kind: 'predicted-gain', reason: '' },
      originalMs: null,
      chosenMs: null,
      speedup: null,
      speedupInterval: null,
      timings: [],
    }
    const page = await renderRun(predicted)
    expect(headings(page)[0]).to.equal('The model should run 1.19× as fast.')
    expect(page).to.contain('Predicted, not measured')
  })

  it('is the same text for the same record', async () => {
    expect(await renderRun(gainRun)).to.equal(await renderRun(structuredClone(gainRun)))
  })

  it('is one file: no script, nothing loaded, a policy that forbids both', async () => {
    const page = await renderRun(gainRun)
    const withoutNamespaces = page.replaceAll(/xmlns(:\w+)?="[^"]*"/g, '')
    expect(withoutNamespaces).to.not.match(/https?:|<script|<link|<img|<iframe|@import|url\(/i)
    expect(page).to.contain("default-src 'none'; style-src 'unsafe-inline'")
  })

  it('gives every chart a name for screen readers', async () => {
    const charts = (await renderRun(gainRun)).match(/<svg [^>]*>/g)!
    expect(charts).to.have.length(8)
    for (const chart of charts) expect(chart).to.match(/role="img" aria-label="[^"]{20,}"/)
  })

  it('escapes every name that comes from a model file, in text, attributes and charts', async () => {
    const page = await renderRun(hostileRun(HOSTILE))
    expect(tagsOf(page)).to.deep.equal(tagsOf(await renderRun(hostileRun('name'))))
    for (const forbidden of ['\u0007', '\u202e']) expect(page).to.not.contain(forbidden)
    expect(page).to.not.contain('<script')
  })

  it('draws both graphs side by side, what changed marked, what both have in a row as one box', async () => {
    const page = await renderRun(gainRun)
    const pair = page.slice(page.indexOf('<div class="pair">'), page.indexOf('<section id="rules"'))
    const [before, after] = pair.split('<figure>').slice(1)
    for (const side of [before!, after!]) {
      expect(side.match(/class="node marked"/g)).to.have.length(2)
      expect(side.match(/class="node plain"/g)).to.have.length(1)
      expect(side.match(/class="edge"/g)).to.have.length(2)
      expect(side).to.contain('2 kernels, unchanged').and.to.contain('4 kernels, 2 of them marked')
    }
    expect(before).to.contain('1x32x64x64, 2.60').and.to.not.contain('1x32x16x16')
    expect(after).to.contain('1x32x16x16, 1.40')
  })

  it('says what of a large graph is not drawn', async () => {
    const node = (i: number) => ({ op: 'Add', shape: '1', ms: 0.1, sources: i === 0 ? [] : [i - 1], changed: true })
    const large = {
      ...gainRun,
      graphs: { original: Array.from({ length: 200 }, (_, i) => node(i)), chosen: [node(0)] },
    }
    const page = await renderRun(large)
    expect(page.match(/Drawn are the first 90 of 200 boxes/g)).to.have.length(1)
  })

  it('folds the steps behind their number', async () => {
    const page = await renderRun(gainRun)
    expect(page).to.contain('<summary>one step</summary>').and.to.contain('<code>lin-of-concat</code> at head')
  })

  it('copes with a run of a single variant, a single iteration, and huge numbers of both', async () => {
    const tiny: RunRecord = {
      ...gainRun,
      timings: gainRun.timings.slice(0, 1),
      candidates: [],
      saturation: { ...gainRun.saturation, growth: [] },
    }
    expect(headings(await renderRun(tiny))).to.not.include('Predicted and measured')
    const many: RunRecord = {
      ...gainRun,
      timings: Array.from({ length: 100 }, (_, i) => ({ ...gainRun.timings[i === 0 ? 0 : 2]!, name: `v${i}` })),
    }
    expect(await renderRun(many)).to.contain('88 slower ones are left out.')
  })
})

describe('the page of a comparison', () => {
  it('puts the model before the baselines, the best of them first', async () => {
    const page = await renderCompare(comparison)
    expect(headings(page)).to.deep.equal([
      'The predicted best is 0.8 % slower than the true best.',
      'Against every baseline',
      'Predicted and measured',
      'Leaving one family out',
      'Notes',
      'Next',
    ])
    const rows = [...page.matchAll(/<th scope="row"[^>]*>([^<]*)</g)].map((m) => m[1])
    expect(rows.slice(0, 4)).to.deep.equal(['cpu-x64-v1', 'oracle', 'table per operator', 'calibrated roofline'])
  })

  it('draws nothing where nothing was predicted', async () => {
    const empty = {
      ...comparison,
      points: [],
      families: [],
      baselines: {},
      notes: [],
      model: {
        mape: null,
        within10: null,
        kendallTau: null,
        tauCeiling: null,
        pairwise: null,
        top1Regret: null,
        top5Regret: null,
        gainCapture: null,
      },
    }
    const page = await renderCompare(empty)
    expect(headings(page)).to.deep.equal(['Nothing could be judged.', 'Against every baseline', 'Next'])
    expect(page).to.not.contain('NaN')
  })

  it('escapes the names of families and datasets', async () => {
    const hostile = {
      ...comparison,
      dataset: HOSTILE,
      modelName: HOSTILE,
      points: comparison.points.map((p) => ({ ...p, family: HOSTILE })),
      notes: [HOSTILE],
    }
    const page = await renderCompare(hostile)
    expect(page).to.not.contain('<script').and.to.not.contain('<img')
  })
})

describe('records', () => {
  const folder = mkdtempSync(join(tmpdir(), 'report-'))
  after(() => rmSync(folder, { recursive: true }))

  it('come back from disk as they were written', async () => {
    const path = join(folder, 'a.run.json')
    await writeRecord(path, gainRun)
    expect(JSON.stringify(readRun(path))).to.equal(JSON.stringify(gainRun))
    await writeRecord(path, comparison)
    expect(JSON.stringify(readComparison(path))).to.equal(JSON.stringify(compareSchema.parse(comparison)))
  })

  it('store what differs in kind as a number that pages call not comparable', async () => {
    const path = join(folder, 'b.run.json')
    await writeRecord(path, {
      ...gainRun,
      outputs: [{ name: 'y', maxAbs: Number.POSITIVE_INFINITY, maxRel: 1, tolerance: 1e-5 }],
    })
    expect(await renderRun(readRun(path))).to.contain('not comparable')
  })

  it('are refused with the place of the first mistake', () => {
    const path = join(folder, 'c.run.json')
    writeFileSync(path, JSON.stringify({ ...gainRun, noise: 'low' }))
    expect(() => readRun(path)).to.throw(UserError, /noise: .*allotrope optimize again/)
    writeFileSync(path, '{')
    expect(() => readRun(path)).to.throw(UserError, 'a readable JSON file')
    expect(() => readRun(join(folder, 'none'))).to.throw(UserError)
    expect(readFileSync(path, 'utf8')).to.equal('{')
  })

  it('match their schema in the fixtures', () => {
    for (const r of [gainRun, noGainRun]) expect(JSON.stringify(runSchema.parse(r))).to.equal(JSON.stringify(r))
  })
})

describe('html templates', () => {
  it('never let an inserted text open an element or leave an attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { markup } = html`<p title="${text}">${text}</p>`
        expect(markup.match(/[<>]/g)).to.have.length(4)
        expect(markup.match(/"/g)).to.have.length(2)
      }),
      { seed: 1 },
    )
  })

  it('keep readable text as it is', () => {
    expect(escapeText('a/b_c-1 \u00b7 \u4f60\u597d \ud83d\ude00')).to.equal('a/b_c-1 \u00b7 \u4f60\u597d \ud83d\ude00')
  })
})

describe('numbers on pages', () => {
  it('have three significant digits and units', () => {
    expect([0.0123, 0.5, 3.655, 41.23, 412.3].map(formatMs)).to.deep.equal([
      '0.012 ms',
      '0.500 ms',
      '3.65 ms',
      '41.2 ms',
      '412 ms',
    ])
    expect([0, 2.4e-6, 1e-5].map(formatError)).to.deep.equal([
      '0',
      '2.4\u00d710\u207b\u2076',
      '1.0\u00d710\u207b\u2075',
    ])
    expect([0, 999, 540_000, 24_100_000].map(formatBytes)).to.deep.equal(['0 B', '999 B', '540 kB', '24 MB'])
    expect(formatRatio(1.127)).to.equal('1.13\u00d7')
    expect(formatCount(1234567)).to.equal('1\u202f234\u202f567')
  })
})
