// Sums of thousands of terms that round alike, as a scatter or a running sum has on inputs of one number, leave the unoptimised original
// as wrong as any candidate. What is too far from it on such inputs is judged once more, both against the original in float64.
import type { Backend, Feeds, Session } from '../runtime/index.ts'
import { outputErrors } from './compare-outputs.ts'
import type { InputSet } from './inputs.ts'

/** The original in float64, opened when first asked. */
export class Appeal {
  private readonly backend: Backend
  private readonly path: string
  private session: Session | null = null
  /** False once it could not be run: another try would take as long. */
  private isOpen = true
  private readonly answers = new Map<InputSet, Feeds>()

  constructor(backend: Backend, path: string) {
    this.backend = backend
    this.path = path
  }

  /** True if `candidate` is no more than `tolerance(error of the oracle)` away from the numbers in float64, in every output. */
  async clears(
    set: InputSet,
    oracle: Feeds,
    candidate: Feeds,
    scale: (output: string) => number,
    tolerance: (maxRel: number) => number,
  ): Promise<boolean> {
    const exact = await this.exact(set)
    if (exact === null) return false
    const own = outputErrors(exact, oracle, scale)
    return [...outputErrors(exact, candidate, scale)].every(([name, { maxRel }]) => {
      const allowed = own.get(name)!.maxRel
      return Number.isFinite(allowed) && maxRel <= tolerance(allowed)
    })
  }

  private async exact(set: InputSet): Promise<Feeds | null> {
    const known = this.answers.get(set)
    if (known || !this.isOpen) return known ?? null
    const answer = await this.run(set.feeds)
    if (answer === null) this.isOpen = false
    else this.answers.set(set, answer)
    return answer
  }

  private async run(feeds: Feeds): Promise<Feeds | null> {
    if (this.session === null) {
      const opened = await this.backend.open(this.path, { threads: 1, optimization: 'disabled' })
      if (!opened.ok) return null
      this.session = opened.value
    }
    const answer = await this.session.run(feeds)
    return answer.ok ? answer.value : null
  }
}
