// Who may apply how many matches. Simple: everybody everything. Backoff (egg): a rule with more matches than its threshold
// applies none and sits out; threshold and ban double each time.

export interface Scheduler {
  /** Matches the rule may apply in this iteration; 0: it is banned and need not be searched. */
  allowance(rule: number, iteration: number): number
  /** The rule had more matches than allowed. */
  ban(rule: number, iteration: number): void
  /** Nothing changed in this iteration: is that the end? If rules are banned, the nearest ban is cut short instead. */
  canStop(iteration: number): boolean
}

export function simpleScheduler(): Scheduler {
  return { allowance: () => Number.POSITIVE_INFINITY, ban: () => {}, canStop: () => true }
}

export interface BackoffOptions {
  /** Matches a rule may have before its first ban; default 1000. */
  readonly matchLimit?: number
  /** Iterations of the first ban; default 5. */
  readonly banLength?: number
}

interface BanState {
  timesBanned: number
  bannedUntil: number
}

export function backoffScheduler(options: BackoffOptions = {}): Scheduler {
  const { matchLimit = 1000, banLength = 5 } = options
  const states = new Map<number, BanState>()
  const stateOf = (rule: number): BanState => {
    const known = states.get(rule)
    if (known) return known
    const fresh = { timesBanned: 0, bannedUntil: 0 }
    states.set(rule, fresh)
    return fresh
  }
  return {
    allowance: (rule, iteration) => {
      const state = stateOf(rule)
      return iteration < state.bannedUntil ? 0 : matchLimit * 2 ** state.timesBanned
    },
    ban: (rule, iteration) => {
      const state = stateOf(rule)
      state.bannedUntil = iteration + banLength * 2 ** state.timesBanned
      state.timesBanned++
    },
    canStop: (iteration) => {
      const banned = [...states.values()].filter((s) => s.bannedUntil > iteration)
      if (banned.length === 0) return true
      const wait = Math.min(...banned.map((s) => s.bannedUntil)) - iteration
      for (const state of banned) state.bannedUntil -= wait
      return false
    },
  }
}
