import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { isBuildCurrent, sourceHash } from '../../.ci/build.mjs'
import { lockFolder, whileLocked } from '../../.ci/lock.mjs'
import { readCounts, summarize } from '../../.ci/steps.mjs'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const ok = (name: string) => ({ name, ok: true, seconds: 1 })
const bad = (name: string) => ({ name, ok: false, seconds: 1 })

describe('the last line of a run', () => {
  it('counts checks beside tests', () => {
    const counts = { passed: 40, failed: 0, pending: 2 }
    expect(summarize([ok('lint'), ok('types'), ok('tests')], counts)).to.deep.equal({
      line: '42 passed, 0 failed',
      ok: true,
    })
  })

  it('never says that nothing failed when a check failed', () => {
    const counts = { passed: 40, failed: 0, pending: 0 }
    expect(summarize([bad('lint'), ok('tests')], counts)).to.deep.equal({ line: '40 passed, 1 failed', ok: false })
  })

  it('counts a crash of mocha as a failure', () => {
    expect(summarize([ok('lint'), bad('tests')], null)).to.deep.equal({ line: '1 passed, 1 failed', ok: false })
    expect(summarize([bad('tests')], { passed: 3, failed: 0, pending: 0 })).to.deep.equal({
      line: '3 passed, 1 failed',
      ok: false,
    })
  })

  it('counts failed tests once', () => {
    expect(summarize([bad('tests')], { passed: 3, failed: 2, pending: 0 }).line).to.equal('3 passed, 2 failed')
  })
})

describe('the reporter', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'allotrope-reporter-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const runMocha = (body: string) => {
    const spec = join(folder, 'a.test.cjs')
    writeFileSync(spec, body)
    const args = ['--no-config', '--reporter', join(ROOT, '.ci/reporter.mjs'), spec]
    const env = { ...process.env, ALLOTROPE_TEST_COUNTS: join(folder, 'counts.json') }
    const run = spawnSync(process.execPath, [join(ROOT, 'node_modules/mocha/bin/mocha.js'), ...args], {
      env,
      encoding: 'utf8',
    })
    return { status: run.status, stdout: run.stdout, counts: readCounts(join(folder, 'counts.json')) }
  }

  it('writes the counts and lists what was skipped', () => {
    const { status, stdout, counts } = runMocha(
      "it('a', () => {}); it('b', () => { throw new Error('no') }); it('c: no GPU here', function () { this.skip() })",
    )
    expect(counts).to.deep.equal({ passed: 1, failed: 1, pending: 1 })
    expect(stdout).to.contain('skipped:').and.to.contain('c: no GPU here')
    expect(status).to.equal(1)
  })

  it('leaves no counts behind when the process dies in a test', () => {
    const { status, counts } = runMocha("it('a', () => {}); it('b', () => process.kill(process.pid, 'SIGKILL'))")
    expect(counts).to.equal(null)
    expect(status).not.to.equal(0)
  })
})

describe('the build stamp', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'allotrope build '))
    mkdirSync(join(root, 'src/ir'), { recursive: true })
    mkdirSync(join(root, 'dist'))
    writeFileSync(join(root, 'src/ir/a.ts'), 'export const a = 1\n')
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))
  const stamp = () => writeFileSync(join(root, 'dist/.stamp'), sourceHash(root))

  it('is stale without a stamp and current with the stamp of these sources', () => {
    expect(isBuildCurrent(root)).to.equal(false)
    stamp()
    expect(isBuildCurrent(root)).to.equal(true)
  })

  it('becomes stale when a source changes, moves or comes', () => {
    stamp()
    writeFileSync(join(root, 'src/ir/a.ts'), 'export const a = 2\n')
    expect(isBuildCurrent(root)).to.equal(false)
    stamp()
    writeFileSync(join(root, 'src/ir/b.ts'), '')
    expect(isBuildCurrent(root)).to.equal(false)
    stamp()
    rmSync(join(root, 'src/ir/b.ts'))
    expect(isBuildCurrent(root)).to.equal(false)
  })
})

describe('the set-up lock', () => {
  const root = join(tmpdir(), `allotrope-lock-test-${process.pid}`)
  afterEach(() => rmSync(lockFolder(root), { recursive: true, force: true }))

  it('lets one set-up run at a time and is gone afterwards', async () => {
    let running = 0
    let most = 0
    const work = async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, 30))
      running--
    }
    await Promise.all([whileLocked(root, work), whileLocked(root, work)])
    expect(most).to.equal(1)
    expect(existsSync(lockFolder(root))).to.equal(false)
  })

  it('is taken over from a process that died', async () => {
    const dead = spawn(process.execPath, ['-e', ''])
    await once(dead, 'close')
    mkdirSync(lockFolder(root))
    writeFileSync(join(lockFolder(root), 'pid'), String(dead.pid))
    const holder = await whileLocked(root, async () => readFileSync(join(lockFolder(root), 'pid'), 'utf8'))
    expect(holder).to.equal(String(process.pid))
  })
})
