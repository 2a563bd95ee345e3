// Mocha's report: one character a test, then failures in full and the tests that were skipped, with their reasons (in the
// title). Writes the counts to the file named in ALLOTROPE_TEST_COUNTS at the very end, so that a crash leaves no counts.
import { writeFileSync } from 'node:fs'
import Mocha from 'mocha'

const { EVENT_RUN_END, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } = Mocha.Runner.constants

export default class Reporter extends Mocha.reporters.Base {
  /** @param {Mocha.Runner} runner @param {Mocha.MochaOptions} options */
  constructor(runner, options) {
    super(runner, options)
    /** @type {string[]} */
    const skipped = []
    let column = 0
    /** @param {string} mark */
    const print = (mark) => process.stdout.write(column++ % 100 === 99 ? `${mark}\n` : mark)
    runner.on(EVENT_TEST_PASS, () => print('.'))
    runner.on(EVENT_TEST_FAIL, () => print('!'))
    runner.on(EVENT_TEST_PENDING, (test) => {
      print(',')
      skipped.push(test.fullTitle())
    })
    runner.once(EVENT_RUN_END, () => {
      this.epilogue()
      if (skipped.length > 0) process.stdout.write(`  skipped:\n${skipped.map((title) => `    ${title}\n`).join('')}\n`)
      const { passes = 0, failures = 0, pending = 0 } = this.stats
      const file = process.env.ALLOTROPE_TEST_COUNTS
      if (file) writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, pending }))
    })
  }
}
