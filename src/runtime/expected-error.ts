// Models and files that are wrong or beyond us are expected here: they become outcomes. Bugs stay exceptions.
import { UnsupportedError, UserError } from '../base/errors.ts'
import { failure, type Outcome } from './backend.ts'

/** Runs `work`; its UserErrors and UnsupportedErrors become failed outcomes. */
export async function asOutcome<T>(work: () => Outcome<T> | Promise<Outcome<T>>): Promise<Outcome<T>> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof UserError || error instanceof UnsupportedError) return failure('error', error.message)
    throw error
  }
}
