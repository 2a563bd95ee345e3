// Ctrl-C in every phase of optimize, and what does not end by itself: the right exit code, nothing half-written, nothing left.
import { existsSync, readdirSync } from 'node:fs'
import { expect } from 'chai'
import { jsonOf, runCli } from '../cli/support.ts'
import { ModelFolder } from '../runtime/models.ts'
import { programIn } from './support/program.ts'
import { createWorkspace } from './support/workspace.ts'

describe('an interruption', function () {
  this.timeout(60_000)
  const space = createWorkspace()
  const program = programIn(space.path('tmp'))
  const models = new ModelFolder()
  after(() => {
    space.remove()
    models.remove()
  })
  const input = space.model('segformer-head', 'small')

  // What standard error says when a phase is over: the next one has begun.
  const phases = [
    ['load', null],
    ['saturate', /^ *load /m],
    ['predict', /^ *saturate /m],
    ['verify', /^ *predict /m],
    ['measure', /^ *verify /m],
  ] as const
  for (const [phase, begun] of phases)
    it(`in ${phase} ends optimize in 130, with nothing written and no temporary folder left`, async () => {
      const output = space.path(`${phase}.onnx`)
      const before = readdirSync(space.path('.')).sort()
      const run = program.start(['optimize', input, '-o', output, '--json', '--time-limit', '120'])
      // Before the first note there is only the folder of the run to see.
      if (begun) await run.says(begun)
      else await untilThere(() => program.leftovers().length > 0 || run.child.exitCode !== null)
      run.child.kill('SIGINT')
      const { code, stdout, stderr } = await run.ended
      expect(code, stderr).to.equal(130)
      expect(JSON.parse(stdout)).to.deep.include({ schema: 'allotrope.optimize/1', ok: false })
      expect((JSON.parse(stdout) as { error: object }).error).to.include({ code: 'interrupted' })
      expect(stderr).to.not.match(/\n +at |internal/)
      expect(readdirSync(space.path('.')).sort()).to.deep.equal(before)
      expect(program.leftovers()).to.deep.equal([])
    })

  it('twice ends the program at once, with its JSON object, and no temporary folder is left', async () => {
    const run = program.start(['optimize', models.endless(), '-o', space.path('endless.onnx'), '--json'])
    await run.says(/^ *load /m)
    run.child.kill('SIGINT')
    await run.says(/press Ctrl-C again/)
    run.child.kill('SIGINT')
    const { code, stdout } = await run.ended
    expect(code).to.equal(130)
    expect((JSON.parse(stdout) as { error: object }).error).to.include({ code: 'interrupted' })
    expect(program.leftovers()).to.deep.equal([])
    expect(existsSync(space.path('endless.onnx'))).to.equal(false)
  })

  it('does not wait for a model that does not end: verify ends in 130, and no temporary folder is left', async () => {
    const endless = models.endless()
    const run = program.start(['verify', endless, endless, '--json'])
    const longest = setTimeout(() => run.child.kill('SIGKILL'), 30_000)
    setTimeout(() => run.child.kill('SIGINT'), 3000)
    await run.says(/press Ctrl-C again/)
    const interrupted = performance.now()
    const { code, stdout } = await run.ended
    clearTimeout(longest)
    expect(code).to.equal(130)
    expect(performance.now() - interrupted).to.be.lessThan(9000) // the process itself gives up after ten seconds
    expect((JSON.parse(stdout) as { error: object }).error).to.include({ code: 'interrupted' })
    expect(program.leftovers()).to.deep.equal([])
  })

  it('comes by itself where a model does not end: verify --time-limit ends in 3 and says so', async () => {
    const endless = models.endless()
    const ran = await runCli(['verify', endless, endless, '--time-limit', '5', '--json'])
    expect(ran.code, ran.stderr).to.equal(3)
    expect(jsonOf(ran).error).to.include({ code: 'cannot-run' })
    expect(ran.stderr).to.contain('no answer within 5000 ms')
  })
})

async function untilThere(isThere: () => boolean): Promise<void> {
  while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 5))
}
