// Long work in steps: a generator pauses where whoever drives it may do something else in between.

/** What steps lead to, without pauses. */
export function drain<R>(steps: Generator<void, R>): R {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value as R
  }
}
