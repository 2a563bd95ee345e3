import { expect } from 'chai'
import { undisturbedClock, undisturbedMs, wallMs } from '../../src/runtime/clock.ts'

/** A clock over scripted attempts: [milliseconds on the wall, milliseconds on the processor]. */
function scripted(attempts: readonly (readonly [number, number])[]) {
  let [wall, processor, calls] = [1000, 7, 0]
  const clock = undisturbedClock(
    () => wall,
    () => processor,
  )
  const work = async () => {
    const [w, p] = attempts[calls++]!
    wall += w
    processor += p
  }
  return { run: () => clock(work), calls: () => calls }
}

describe('clock', () => {
  it('takes undisturbed work at its first time', async () => {
    const { run, calls } = scripted([[10, 9.8]])
    expect([await run(), calls()]).to.deep.equal([10, 1])
  })

  it('repeats work that was kept off the processor until it was not', async () => {
    const { run, calls } = scripted([
      [14, 10],
      [11, 10.9],
    ])
    expect([await run(), calls()]).to.deep.equal([11, 2])
  })

  it('gives up after three attempts and takes the shortest', async () => {
    const { run, calls } = scripted([
      [30, 10],
      [14, 10],
      [25, 10],
    ])
    expect([await run(), calls()]).to.deep.equal([14, 3])
  })

  it('never repeats work on several threads, whose processor time is longer', async () => {
    const { run, calls } = scripted([[10, 18]])
    expect([await run(), calls()]).to.deep.equal([10, 1])
  })

  it('counts the time on the wall', async () => {
    const wait = () => new Promise<void>((resolve) => setTimeout(resolve, 20))
    for (const clock of [wallMs, undisturbedMs]) expect(await clock(wait)).to.be.greaterThan(15)
  })
})
