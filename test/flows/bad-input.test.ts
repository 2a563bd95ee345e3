// Every kind of bad input, through the command line: the documented exit code, one complaint that says where, what was expected,
// what was found and how to mend it, no stack trace, nothing written, and one JSON object with --json.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Folder, jsonOf, makeFolder, runCli } from '../cli/support.ts'
import { type Case, MODELS, OUTPUTS, RECORDS, RULES, RUNS, USAGE } from './support/bad-input.ts'
import { furnish } from './support/furnish.ts'

/** Everything in a folder with its size and the time of its last change. */
function listing(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((e) => join(e.parentPath, e.name))
    .map((p) => `${p} ${statSync(p).isFile() ? `${statSync(p).size} ${statSync(p).mtimeMs}` : ''}`)
    .sort()
}

describe('bad input', function () {
  this.timeout(60_000)
  let folder: Folder
  before(async () => {
    folder = makeFolder()
    await furnish(folder)
  })
  after(() => folder.remove())

  const argsOf = (args: string) =>
    args
      .split(' ')
      .filter((a) => a !== '')
      .map((a) => (a.startsWith('@') ? folder.path(a.slice(1)) : a))

  async function expectComplaint(c: Case): Promise<void> {
    const before = listing(folder.path('.'))
    const ran = await runCli([...argsOf(c.args), '--json'])
    const told = `${ran.stderr}${ran.stdout}`
    expect(ran.code, told).to.equal(c.code)
    const { ok, error } = jsonOf(ran) as { ok: boolean; error: Record<string, string> }
    expect(ok).to.equal(false)
    expect(error, told).to.have.all.keys('code', 'where', 'expected', 'got', 'fix')
    for (const [key, text] of Object.entries(error)) expect(text, key).to.be.a('string').that.is.not.empty
    expect(error.code, told).to.match(new RegExp(`^(${c.complaint})$`))
    const errors = ran.stderr.split('\n').filter((line) => line.startsWith('error: '))
    expect(errors, told).to.have.length(1)
    expect(ran.stderr).to.match(c.says)
    expect(told).to.not.match(/\n +at |internal:/)
    const written = listing(folder.path('.')).filter((p) => !c.leaves || !p.startsWith(folder.path(c.leaves)))
    expect(written, 'nothing is written').to.deep.equal(before)
  }

  /** The same for people: nothing on stdout, and the same code. */
  async function expectText(c: Case): Promise<void> {
    const ran = await runCli(argsOf(c.args))
    expect(ran.code, ran.stderr).to.equal(c.code)
    expect(ran.stdout).to.equal('')
    expect(ran.stderr)
      .to.match(c.says)
      .and.to.match(/^error: /m)
    expect(ran.stderr).to.not.match(/\n +at |internal:/)
  }

  for (const [kind, cases] of Object.entries({ USAGE, OUTPUTS, MODELS, RULES, RUNS, RECORDS }))
    describe(kind.toLowerCase(), () => {
      for (const c of cases)
        it(`${c.what}: exit code ${c.code}`, async () => {
          await expectComplaint(c)
          if (cases !== RUNS && !c.args.startsWith('collect')) await expectText(c)
        })
    })
})
