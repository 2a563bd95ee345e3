// The report where it is read: in a real browser. It must work from the disk alone, without a network and without complaint.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import type { Browser } from 'playwright-core'
import { renderCompare, renderRun } from '../../src/report/index.ts'
import { startChromium } from './chromium.ts'
import { comparison, gainRun, noGainRun } from './fixtures.ts'

/** What a browser had to say about a page, and what a reader sees. */
interface Visit {
  /** Messages on the console, errors of scripts, resources that failed. */
  readonly complaints: readonly string[]
  /** Addresses that were asked for, but for the page itself and data inside it. */
  readonly requests: readonly string[]
  readonly headline: { readonly text: string; readonly visible: boolean }
  /** Charts in the page; each is there twice, for wide and for narrow screens. */
  readonly charts: number
  /** By the width of the window: charts that are painted, and pixels that stick out to the right. */
  readonly widths: readonly { readonly width: number; readonly painted: number; readonly overflow: number }[]
}

describe('the report in a browser', function () {
  this.timeout(60_000)
  const folder = mkdtempSync(join(tmpdir(), 'allotrope-page-'))
  let browser: Browser
  let close = async () => {}
  before(async function () {
    const started = await startChromium()
    if (started.ok) {
      browser = started.browser
      close = started.close
      return
    }
    process.stderr.write(`      skipped: ${started.reason}\n`)
    this.skip()
  })
  after(async () => {
    await close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function visit(name: string, html: string): Promise<Visit> {
    const path = join(folder, `${name}.html`)
    writeFileSync(path, html)
    const page = await browser.newPage()
    const complaints: string[] = []
    const requests: string[] = []
    page.on('console', (m) => complaints.push(`${m.type()}: ${m.text()}`))
    page.on('pageerror', (e) => complaints.push(`error: ${e.message}`))
    page.on('requestfailed', (r) => complaints.push(`failed: ${r.url()}`))
    page.on('request', (r) => requests.push(r.url()))
    const widths: Visit['widths'][number][] = []
    const address = pathToFileURL(path).href
    for (const width of [1280, 400]) {
      await page.setViewportSize({ width, height: 900 })
      await page.goto(address, { waitUntil: 'load' })
      const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth')
      const sizes = await page.locator('svg').evaluateAll((all) => all.map((svg) => svg.getBoundingClientRect().width))
      widths.push({ width, painted: sizes.filter((w) => w > 100).length, overflow })
    }
    const title = page.locator('h1')
    const headline = { text: await title.innerText(), visible: await title.isVisible() }
    // Charts are drawn at two widths, of which one shows; graphs once.
    const graphs = await page.locator('.graph svg').count()
    const charts = graphs + ((await page.locator('svg').count()) - graphs) / 2
    await page.close()
    const outside = requests.filter((url) => url !== address && !url.startsWith('data:'))
    return { complaints, requests: outside, headline, charts, widths }
  }

  const pages = [
    ['a run with a gain', () => renderRun(gainRun), 'The model runs 1.13× as fast.'],
    ['a run without one', () => renderRun(noGainRun), 'No gain: the model stays as it is.'],
    ['a comparison', () => renderCompare(comparison), /./],
  ] as const
  for (const [what, render, headline] of pages)
    it(`shows ${what} from the disk alone, without a complaint`, async () => {
      const seen = await visit(what.replaceAll(' ', '-'), await render())
      expect(seen.complaints).to.deep.equal([])
      expect(seen.requests).to.deep.equal([])
      expect(seen.headline.visible).to.equal(true)
      if (typeof headline === 'string') expect(seen.headline.text).to.equal(headline)
      else expect(seen.headline.text).to.match(headline)
      expect(seen.charts).to.be.greaterThan(0)
      for (const { width, painted, overflow } of seen.widths) {
        expect(painted, `charts at ${width} pixels`).to.equal(seen.charts)
        expect(overflow, `pixels out of sight at ${width} pixels`).to.be.at.most(0)
      }
    })
})
