// A child of watch.ts that optimises the damaged models which read: FIRST END SEED FOLDER [CORPUS].
import { createBackend } from '../../src/runtime/index.ts'
import { buildCorpus } from './corpus.ts'
import { damagedModel, specimensOf } from './mutate.ts'
import { optimiseCase } from './optimise-case.ts'
import { readCase } from './read-case.ts'
import { serveCases } from './serve.ts'

const [seed, folder, corpus = null] = process.argv.slice(4) as [string, string, string?]
const specimens = specimensOf(buildCorpus(folder, corpus))
const backend = createBackend('cpu', { timeoutMs: 10_000, memoryLimitBytes: 2 ** 31, sessionsPerWorker: 2000 })
await serveCases((at) => {
  const { bytes } = damagedModel(specimens, Number(seed), at)
  const model = readCase(bytes, folder)
  return model === null ? 'unread' : optimiseCase({ backend, folder }, model, bytes)
})
