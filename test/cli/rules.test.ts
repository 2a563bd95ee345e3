import { expect } from 'chai'
import { editDistance, suggest } from '../../src/cli/suggest.ts'
import { ruleFamilies } from '../../src/rewrite/rules/index.ts'
import { jsonOf, runCli } from './support.ts'

const names = ruleFamilies.flatMap((f) => f.rules.map((r) => r.name))
const listed = async (...args: string[]) => {
  const r = jsonOf(await runCli(['rules', ...args, '--json']))
  return (r.rules as { name: string }[]).map((x) => x.name)
}

describe('rules', () => {
  it('lists the rules that the search runs, each with law, condition, source and an example', async () => {
    expect(await listed()).to.deep.equal(names)
    const r = jsonOf(await runCli(['rules', '--json']))
    for (const rule of r.rules as object[])
      expect(rule).to.include.all.keys('name', 'family', 'law', 'condition', 'source', 'example')
  })

  it('chooses one rule, a family or a pattern', async () => {
    expect(await listed(names[0]!)).to.deep.equal([names[0]])
    expect(await listed('seed')).to.deep.equal(ruleFamilies.find((f) => f.name === 'seed')?.rules.map((x) => x.name))
    expect(await listed('*hard*')).to.deep.equal(names.filter((n) => n.includes('hard')))
  })

  it('shows one rule in full', async () => {
    const { stdout } = await runCli(['rules', names[0]!])
    for (const key of ['law', 'condition', 'exactness', 'source', 'example'])
      expect(stdout).to.match(new RegExp(`^ {2}${key} `, 'm'))
  })

  it('tries and lists the rules of a file', async () => {
    const path = new URL('../../examples/rules/element-wise.json', import.meta.url).pathname
    const r = jsonOf(await runCli(['rules', 'root-*', '--rule-file', path, '--json']))
    expect(r.rules).to.have.length(1)
    expect(r.rules).to.have.nested.property('[0].trial.cases').that.is.greaterThan(100)
  }).timeout(60_000)

  it('suggests the rule that was meant, with exit code 2', async () => {
    const ran = await runCli(['rules', `${names[0]}x`])
    expect(ran.code).to.equal(2)
    expect(ran.stderr).to.contain(`did you mean ${names[0]}`)
  })
})

describe('did you mean', () => {
  it('counts insertions, deletions, replacements and swaps', () => {
    expect(editDistance('abc', 'abc')).to.equal(0)
    expect(editDistance('abc', 'acb')).to.equal(1)
    expect(editDistance('', 'abc')).to.equal(3)
    expect(editDistance('kitten', 'sitting')).to.equal(3)
  })

  it('offers the closest names first and nothing that is unlike', () => {
    expect(suggest('optimise', ['inspect', 'optimize', 'verify'])).to.deep.equal(['optimize'])
    expect(suggest('zzzz', ['inspect', 'optimize'])).to.deep.equal([])
  })
})
