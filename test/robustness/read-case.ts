// What must hold of any bytes: they are read as a model, or refused in the user's words; a model is written and read again, and
// raised to a later opset or not, in words.
import { InvariantError, UnsupportedError, UserError } from '../../src/base/errors.ts'
import { type Model, modelOf, raiseModel, readModel, writeModel } from '../../src/onnx/index.ts'

/** The model; null: refused in words. Throws what is a bug of ours. `directory`: where external data lie. */
export function readCase(bytes: Uint8Array, directory: string): Model | null {
  const model = unlessRefused(() => readModel(bytes, { directory }))
  if (model === null) return null
  const again = unlessRefused(() => readModel(writeModel(modelOf({ ...model.graph }, model))))
  if (again?.graph.nodes.length !== model.graph.nodes.length)
    throw new InvariantError('what was read and written is not read again as it was')
  const raised = unlessRefused(() => raiseModel(model))
  if (raised?.ok) unlessRefused(() => readModel(writeModel(raised.model)))
  return model
}

export function unlessRefused<T>(work: () => T): T | null {
  try {
    return work()
  } catch (error) {
    if (isRefusal(error)) return null
    throw error
  }
}

/** Said in the user's words: exit code 3. */
export const isRefusal = (error: unknown): boolean => error instanceof UserError || error instanceof UnsupportedError
