import { expect } from 'chai'
import { EXIT, InvariantError, UnsupportedError, UserError } from '../../src/base/errors.ts'
import { type Answer, type Command, defineCommand } from '../../src/cli/command.ts'
import { choiceOption, countOption, ratioOption, shapeOption, switchOption, textOption } from '../../src/cli/option.ts'
import { createTerminalTalk } from '../../src/cli/terminal-talk.ts'
import { jsonOf, runCli } from './support.ts'

const OPTIONS = {
  shape: shapeOption,
  report: switchOption('--no-report', 'no report', true),
  out: textOption('-o, --out <file>', 'where to write'),
  measure: countOption('--measure <n>', 'variants to measure', 5),
  maxGrowth: ratioOption('--max-growth <ratio>', 'file size'),
  objective: choiceOption('--objective <name>', 'what counts', ['latency', 'size']),
}

/** A verb `try` that returns, throws or does what the test says. */
function verb(
  act: (options: Record<string, unknown>, operands: readonly string[]) => Answer | Promise<Answer>,
): Command[] {
  return [
    defineCommand({
      name: 'try',
      operands: '<model> [more...]',
      summary: 'a verb for tests',
      examples: [['a.onnx', 'tries it']],
      schemaVersion: 3,
      options: OPTIONS,
      run: async ({ options, operands }) => act({ ...options }, operands),
    }),
  ]
}
const throwing = (error: unknown) =>
  verb(() => {
    throw error
  })
const DONE: Answer = { data: { n: 1 }, text: 'done' }
const COMPLAINT = { code: 'bad', where: 'a.onnx', expected: 'good', got: 'bad', fix: 'mend it' }

describe('the command line', () => {
  it('prints text for people on stdout and nothing else', async () => {
    expect(await runCli(['try', 'a.onnx'], { table: verb(() => DONE) })).to.deep.equal({
      code: 0,
      stdout: 'done\n',
      stderr: '',
    })
  })

  it('prints exactly one JSON object with --json', async () => {
    const ran = await runCli(['try', 'a.onnx', '--json'], { table: verb(() => DONE) })
    expect(jsonOf(ran)).to.deep.equal({ schema: 'allotrope.try/3', ok: true, n: 1 })
  })

  it('writes maps as objects, typed arrays as lists, and what JSON cannot hold as null', async () => {
    const data = { map: new Map([['a', 1]]), list: new Float32Array([1, 2]), none: Number.NaN, big: 2n ** 60n }
    const ran = await runCli(['try', 'a', '--json'], { table: verb(() => ({ data, text: '' })) })
    expect(jsonOf(ran)).to.include({ none: null, big: '1152921504606846976' })
    expect(jsonOf(ran)).to.deep.include({ map: { a: 1 }, list: [1, 2] })
  })

  it('parses every kind of option', async () => {
    let seen: Record<string, unknown> = {}
    const table = verb((options) => {
      seen = options
      return DONE
    })
    await runCli(['try', 'm'], { table })
    expect(seen).to.deep.include({
      report: true,
      out: null,
      measure: 5,
      maxGrowth: null,
      objective: 'latency',
      seed: 0,
      device: null,
      threads: null,
    })
    const args =
      '--shape x=1x3 --shape a=b=2 --no-report -o f --measure 0 --max-growth 1.5x --objective size --seed 7 --device webgpu --threads 2'
    await runCli(['try', 'm', ...args.split(' ')], { table })
    expect(seen).to.deep.include({
      report: false,
      out: 'f',
      measure: 0,
      maxGrowth: 1.5,
      objective: 'size',
      seed: 7,
      device: 'webgpu',
      threads: 2,
    })
    expect(seen.shape).to.deep.equal(
      new Map([
        ['x', [1, 3]],
        ['a=b', [2]],
      ]),
    )
    await runCli(['try', 'm'], { table })
    expect(seen.shape, 'no memory of earlier runs').to.deep.equal(new Map())
  })

  it('hands the command line over for records, quoted, and suggests commands as they were called', async () => {
    let seen = ''
    const table = [
      defineCommand({
        ...{ name: 'try', operands: '[files...]', summary: '', examples: [], schemaVersion: 1, options: {} },
        run: async ({ command }) => {
          seen = command
          return { data: {}, text: 'next: allotrope verify a b' }
        },
      }),
    ]
    const ran = await runCli(['try', "it's", 'a b', 'c.onnx'], { table, env: { ALLOTROPE_COMMAND: 'npm start --' } })
    expect(seen).to.equal("allotrope try 'it'\\''s' 'a b' c.onnx")
    expect(ran.stdout).to.equal('next: npm start -- verify a b\n')
    expect((await runCli(['try'], { table })).stdout).to.equal('next: allotrope verify a b\n')
  })

  it('passes operands on, also after --', async () => {
    let seen: readonly string[] = []
    const table = verb((_, operands) => {
      seen = operands
      return DONE
    })
    await runCli(['try', 'a', '--seed', '1', 'b', '--', '--json'], { table })
    expect(seen).to.deep.equal(['a', 'b', '--json'])
  })
})

describe('exit codes', () => {
  const cases: readonly [what: string, table: Command[], code: number, complaint: string][] = [
    ['a user error', throwing(new UserError(COMPLAINT)), 3, 'bad'],
    [
      'a user error that names its own code',
      throwing(new UserError({ ...COMPLAINT, exitCode: EXIT.providerMissing })),
      6,
      'bad',
    ],
    ['a damaged dataset', throwing(new UserError({ ...COMPLAINT, exitCode: EXIT.dataDamaged })), 7, 'bad'],
    ['something unsupported', throwing(new UnsupportedError('operator Foo')), 3, 'unsupported'],
    ['a broken promise of ours', throwing(new InvariantError('cannot be')), 1, 'internal'],
    ['an error that nobody foresaw', throwing(new TypeError('x is not a function')), 1, 'internal'],
    ['something thrown that is no error', throwing('what'), 1, 'internal'],
    ['a missing file', throwing(Object.assign(new Error('no'), { code: 'ENOENT', path: 'x' })), 3, 'no-such-file'],
    ['a full disk', throwing(Object.assign(new Error('no'), { code: 'ENOSPC' })), 3, 'disk-full'],
    [
      'a failed verification',
      verb(() => ({ data: { passed: false }, text: '', failure: { complaint: COMPLAINT, exitCode: 4 } })),
      4,
      'bad',
    ],
  ]
  for (const [what, table, code, complaint] of cases) {
    it(`${what} ends in ${code}, with a complaint as text and as JSON`, async () => {
      const text = await runCli(['try', 'a'], { table })
      expect(text.code).to.equal(code)
      expect(text.stdout).to.equal('')
      expect(text.stderr).to.match(/^error: /)
      const json = await runCli(['try', 'a', '--json'], { table })
      expect(json.code).to.equal(code)
      const object = jsonOf(json)
      expect(object).to.include({ schema: 'allotrope.try/3', ok: false })
      expect(object.error)
        .to.have.all.keys('code', 'where', 'expected', 'got', 'fix')
        .and.to.include({ code: complaint })
    })
  }

  it('keeps the data of a failure that has some', async () => {
    const answer: Answer = { data: { passed: false }, text: '', failure: { complaint: COMPLAINT, exitCode: 4 } }
    expect(jsonOf(await runCli(['try', 'a', '--json'], { table: verb(() => answer) }))).to.include({
      ok: false,
      passed: false,
    })
  })

  const wrongUsage: readonly (readonly string[])[] = [
    [],
    ['tyr', 'a'],
    ['try'],
    ['try', 'a', '--nope'],
    ['try', 'a', '--seed', 'x'],
    ['try', 'a', '--seed', '-1'],
    ['try', 'a', '--seed', '1.5'],
    ['try', 'a', '--seed', ''],
    ['try', 'a', '--seed', '4294967296'],
    ['try', 'a', '--threads', '0'],
    ['try', 'a', '--device', 'tpu'],
    ['try', 'a', '--shape', '1x3'],
    ['try', 'a', '--shape', 'x=1x'],
    ['try', 'a', '--shape', 'x=0'],
    ['try', 'a', '--max-growth', '0'],
    ['try', 'a', '--time-limit', 'Infinity'],
    ['try', 'a', '--objective', 'beauty'],
  ]
  for (const argv of wrongUsage) {
    it(`wrong usage ends in 2, as JSON too: ${argv.join(' ') || '(nothing)'}`, async () => {
      const table = verb(() => DONE)
      const ran = await runCli(argv, { table })
      expect(ran.code).to.equal(2)
      expect(ran.stdout).to.equal('')
      expect(ran.stderr).to.contain('--help')
      const json = await runCli([...argv, '--json'], { table })
      expect(json.code).to.equal(2)
      expect(jsonOf(json).error).to.include({ code: 'usage' })
    })
  }

  it('suggests what was meant, for verbs and options', async () => {
    const table = verb(() => DONE)
    expect((await runCli(['tri', 'a'], { table })).stderr).to.contain('Did you mean try?')
    expect((await runCli(['try', 'a', '--sed', '1'], { table })).stderr).to.contain('Did you mean --seed?')
  })

  it('shows stack traces with --debug and never without, causes included', async () => {
    const table = throwing(new InvariantError('cannot be'))
    expect((await runCli(['try', 'a'], { table })).stderr).not.to.match(/\n +at /)
    expect((await runCli(['try', 'a', '--debug'], { table })).stderr).to.match(/\n +at /)
    const outer = new Error('outer', { cause: new Error('inner reason') })
    expect((await runCli(['try', 'a', '--debug'], { table: throwing(outer) })).stderr).to.contain('inner reason')
  })
})

describe('an interruption', () => {
  const waiting = (): Command[] => [
    defineCommand({
      name: 'wait',
      operands: '',
      summary: 'waits to be interrupted',
      examples: [],
      schemaVersion: 1,
      options: {},
      run: ({ talk }) =>
        new Promise((_, reject) => {
          talk.signal.addEventListener('abort', () => reject(talk.signal.reason))
        }),
    }),
  ]

  it('ends in 130 with a JSON object', async () => {
    const interrupt = new AbortController()
    const running = runCli(['wait', '--json'], { table: waiting(), signal: interrupt.signal })
    setTimeout(() => interrupt.abort(), 5)
    const ran = await running
    expect(ran.code).to.equal(130)
    expect(jsonOf(ran)).to.deep.include({ ok: false, schema: 'allotrope.wait/1' })
    expect(jsonOf(ran).error).to.include({ code: 'interrupted' })
  })
})

describe('talk', () => {
  const talking = (): Command[] => [
    defineCommand({
      name: 'talk',
      operands: '',
      summary: 'talks',
      examples: [],
      schemaVersion: 1,
      options: {},
      run: async ({ talk }) => {
        talk.progress('load', 1, 2)
        talk.note('load', 'model\u001b[31m \u202ered')
        talk.warn('careful')
        return { data: {}, text: '' }
      },
    }),
  ]
  const stderrOf = async (argv: string[], isTTY: boolean, env = {}) =>
    (await runCli(['talk', ...argv], { table: talking(), isTTY, env })).stderr.replaceAll('\r\u001b[2K', 'ERASE')

  it('goes to stderr, aligned, without control characters from names and without animation when that is no terminal', async () => {
    expect(await stderrOf([], false)).to.equal('  load       model\ufffd[31m \ufffdred\nwarning: careful\n')
  })

  it('leaves warnings only with --quiet', async () => {
    expect(await stderrOf(['--quiet'], true, { NO_COLOR: '1' })).to.equal('warning: careful\n')
  })

  it('shows progress in place on a terminal, and erases it', async () => {
    expect(await stderrOf([], true, { NO_COLOR: '1' })).to.match(/^ERASE {2}load {7}1 of 2ERASE {2}load/)
    expect(await stderrOf([], true, { TERM: 'dumb' })).not.to.contain('ERASE')
  })

  it('tells how much, of how much where that is known, and the time that is left', () => {
    let [now, written] = [0, '']
    const stderr = { isTTY: true, columns: 80, write: (text: string) => (written += text) }
    const io = { stderr, env: {}, signal: new AbortController().signal } as unknown as Parameters<
      typeof createTerminalTalk
    >[0]
    const talk = createTerminalTalk(io, { quiet: false, now: () => now })
    const line = (stage: string, done: number, total: number | null, unit: string) => {
      written = ''
      now += 2000
      talk.progress(stage, done, total, unit)
      return written.split('\u001b[2K').at(-1)
    }
    expect(line('saturate', 2992, null, 'e-nodes')).to.equal('  saturate   2992 e-nodes')
    expect(line('predict', 0, 48, 'variants')).to.equal('  predict    0 of 48 variants')
    expect(line('predict', 12, 48, 'variants')).to.equal('  predict    12 of 48 variants, 6 s left')
    expect(line('predict', 13, 480, 'variants')).to.equal('  predict    13 of 480 variants, 3 min left')
    expect(line('predict', 480, 480, 'variants')).to.equal('  predict    480 of 480 variants')
  })

  it('is coloured on a terminal unless NO_COLOR is set', async () => {
    expect(await stderrOf(['--quiet'], true)).to.contain('\u001b[33m')
    expect(await stderrOf(['--quiet'], true, { NO_COLOR: '1' })).not.to.contain('\u001b[')
    expect(await stderrOf(['--quiet'], false)).not.to.contain('\u001b[')
  })
})
