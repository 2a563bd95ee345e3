import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { commands } from '../../src/cli/commands/index.ts'
import { COMMON } from '../../src/cli/option.ts'
import { runCli } from './support.ts'

/** Name under which commander hands an option out: `--max-growth <ratio>` -> maxGrowth, `--no-report` -> report. */
function keyOfFlags(flags: string): string {
  const long = /--(?:no-)?([a-z-]+)/.exec(flags)?.[1] ?? ''
  return long.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

describe('the help', () => {
  it('lists every verb and the exit codes, on stdout, with exit code 0', async () => {
    const ran = await runCli(['--help'])
    expect(ran.code).to.equal(0)
    expect(ran.stderr).to.equal('')
    for (const command of commands)
      expect(ran.stdout).to.contain(command.name).and.to.contain(command.summary.slice(0, 20))
    for (const code of [
      '0 done',
      '1 a bug',
      '2 wrong usage',
      '3 bad',
      '4 verification',
      '5 --require-gain',
      '6 provider',
      '7 dataset',
      '130 interrupted',
    ]) {
      expect(ran.stdout).to.contain(code)
    }
  })

  it('tells the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect(await runCli(['--version'])).to.deep.equal({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  for (const command of commands) {
    describe(`of ${command.name}`, () => {
      it('names every option, the common ones too, and shows examples', async () => {
        const { code, stdout } = await runCli([command.name, '--help'])
        expect(code).to.equal(0)
        for (const spec of Object.values({ ...command.options, ...COMMON })) expect(stdout).to.contain(spec.flags)
        expect(command.examples.length).to.be.greaterThan(0)
        for (const [args] of command.examples) expect(stdout).to.contain(`allotrope ${command.name} ${args}`.trim())
      })

      it('keeps each option under the key that the parser uses', () => {
        for (const [key, spec] of Object.entries({ ...command.options, ...COMMON }))
          expect(keyOfFlags(spec.flags)).to.equal(key)
      })

      it('redefines no common option', () => {
        for (const key of Object.keys(command.options)) expect(Object.keys(COMMON)).not.to.include(key)
      })
    })
  }
})
