// A child of watch.ts that reads damaged models: FIRST END SEED FOLDER [CORPUS].
import { buildCorpus } from './corpus.ts'
import { damagedModel, specimensOf } from './mutate.ts'
import { readCase } from './read-case.ts'
import { serveCases } from './serve.ts'

const [seed, folder, corpus = null] = process.argv.slice(4) as [string, string, string?]
const specimens = specimensOf(buildCorpus(folder, corpus))
await serveCases((at) => (readCase(damagedModel(specimens, Number(seed), at).bytes, folder) ? 'read' : 'refused'))
