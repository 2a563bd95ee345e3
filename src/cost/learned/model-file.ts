// A learned model on disk: models/<name>/{model.json, weights.bin, features.json, card.md}. model.json is written last and
// holds the checksums of the others and of itself, so that a half-written or damaged model is refused, never used.
// weights.bin: float32, little-endian: feature centres, feature deviations, then each member's layers (kernel, then bias).
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { z } from 'zod'
import { EXIT, InvariantError, UserError } from '../../base/errors.ts'
import { FEATURE_FINGERPRINT, FEATURE_VERSION, FEATURES } from '../features.ts'
import { LAYER_SIZES, type Layer, type Member, type NetworkParameters } from './network.ts'

export const MODEL_SCHEMA = 'allotrope.model/1'

const line = z.object({ launch: z.number().min(0), perFlop: z.number().min(0), perByte: z.number().min(0) })
const calibration = z.object({
  global: line,
  classes: z.record(z.string(), line),
  operators: z.record(z.string(), line),
})
const file = z.object({ bytes: z.number().int().min(0), sha256: z.string().length(64) })

/** What a model was made from and with: for people and for `compare`; the price does not depend on it. */
const provenance = z.object({
  /** Device and threads of the measurements. */
  device: z.string(),
  provider: z.string(),
  threads: z.number().int(),
  /** Name and content hash of the dataset. */
  dataset: z.string(),
  datasetHash: z.string(),
  kernels: z.number().int(),
  graphs: z.number().int(),
  families: z.array(z.string()),
  backend: z.string(),
  seed: z.number(),
  /** Steps after which the best weights were found. */
  steps: z.number().int(),
  /** The options of `allotrope train` that make it again, with this version of the program. Absent in older models. */
  options: z.string().optional(),
  notes: z.array(z.string()),
})
export type Provenance = z.infer<typeof provenance>

const modelJson = z.object({
  schema: z.literal(MODEL_SCHEMA),
  featureVersion: z.number().int(),
  featureFingerprint: z.string(),
  layerSizes: z.array(z.number().int()),
  members: z.array(z.object({ calibration, logScale: z.number(), overheadMicros: z.number().min(0) })).min(1),
  provenance,
  files: z.object({ 'weights.bin': file, 'features.json': file }),
  /** SHA-256 of this object without the field, as canonical JSON. */
  checksum: z.string().length(64),
})

export interface StoredModel {
  /** Name of the folder. */
  readonly name: string
  readonly parameters: NetworkParameters
  readonly provenance: Provenance
}

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex')

function damaged(where: string, expected: string, got: string): UserError {
  const fix = 'restore the model folder, or train it again with `allotrope train`'
  return new UserError({ code: 'damaged-model', where, expected, got, fix, exitCode: EXIT.dataDamaged })
}

function featuresText({ scaling }: NetworkParameters): string {
  const features = FEATURES.map(({ name, unit, range, meaning }, i) => ({
    name,
    unit,
    range,
    meaning,
    centre: scaling.centre[i],
    deviation: scaling.deviation[i],
  }))
  return `${JSON.stringify({ featureVersion: FEATURE_VERSION, features }, null, 1)}\n`
}

const arraysOf = ({ scaling, members }: NetworkParameters): Float32Array[] => [
  scaling.centre,
  scaling.deviation,
  ...members.flatMap((m) => m.layers.flatMap((l) => [l.kernel, l.bias])),
]

function packWeights(parameters: NetworkParameters): Uint8Array {
  const arrays = arraysOf(parameters)
  const out = new DataView(new ArrayBuffer(4 * arrays.reduce((n, a) => n + a.length, 0)))
  let at = 0
  for (const a of arrays) for (const v of a) out.setFloat32(4 * at++, v, true)
  return new Uint8Array(out.buffer)
}

/** Writes the folder; `card` is the text of card.md. An older model of this name is replaced file by file. */
export async function saveModel(folder: string, model: Omit<StoredModel, 'name'>, card: string): Promise<void> {
  const weights = packWeights(model.parameters)
  const features = featuresText(model.parameters)
  if (new Float32Array(weights.buffer).some((v) => !Number.isFinite(v)))
    throw new InvariantError('the trained weights are not finite')
  const described = (data: string | Uint8Array) => ({ bytes: Buffer.byteLength(data), sha256: sha256(data) })
  const body = {
    schema: MODEL_SCHEMA,
    featureVersion: FEATURE_VERSION,
    featureFingerprint: FEATURE_FINGERPRINT,
    layerSizes: LAYER_SIZES,
    members: model.parameters.members.map(({ calibration, logScale, overheadMicros }) => ({
      calibration,
      logScale,
      overheadMicros,
    })),
    provenance: model.provenance,
    files: { 'weights.bin': described(weights), 'features.json': described(features) },
  }
  mkdirSync(folder, { recursive: true })
  await writeFileAtomic(join(folder, 'weights.bin'), Buffer.from(weights))
  await writeFileAtomic(join(folder, 'features.json'), features)
  await writeFileAtomic(join(folder, 'card.md'), card)
  const checksum = sha256(JSON.stringify(body))
  await writeFileAtomic(join(folder, 'model.json'), `${JSON.stringify({ ...body, checksum }, null, 1)}\n`)
}

function readPart(folder: string, name: string): Buffer {
  const path = join(folder, name)
  if (!existsSync(path)) throw damaged(path, 'a file of a learned model', 'no such file')
  return readFileSync(path)
}

function parseModelJson(folder: string): z.infer<typeof modelJson> {
  const path = join(folder, 'model.json')
  const text = readPart(folder, 'model.json').toString('utf8')
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch (error) {
    throw damaged(path, 'JSON', (error as Error).message)
  }
  refuseOtherVersion(path, raw)
  const { checksum, ...body } = raw as { checksum?: unknown }
  if (checksum !== sha256(JSON.stringify(body)))
    throw damaged(path, 'contents that match their checksum', 'a different checksum')
  const parsed = modelJson.safeParse(raw)
  if (!parsed.success)
    throw damaged(path, `a model of schema ${MODEL_SCHEMA}`, z.prettifyError(parsed.error).replaceAll('\n', ' '))
  return parsed.data
}

/** Versions are looked at first: their complaint is more useful than a checksum's. */
function refuseOtherVersion(path: string, raw: unknown): void {
  const { schema, featureVersion, featureFingerprint } = (raw ?? {}) as Record<string, unknown>
  if (schema !== MODEL_SCHEMA) throw damaged(path, `schema ${MODEL_SCHEMA}`, String(schema))
  if (featureVersion !== FEATURE_VERSION)
    throw damaged(path, `feature version ${FEATURE_VERSION}`, String(featureVersion))
  if (featureFingerprint !== FEATURE_FINGERPRINT) {
    throw damaged(
      path,
      `the feature table ${FEATURE_FINGERPRINT} of this program`,
      `weights for the table ${String(featureFingerprint)}`,
    )
  }
}

function checkedFile(folder: string, name: string, expected: z.infer<typeof file>): Buffer {
  const data = readPart(folder, name)
  if (data.length !== expected.bytes) throw damaged(join(folder, name), `${expected.bytes} bytes`, `${data.length}`)
  if (sha256(data) !== expected.sha256) throw damaged(join(folder, name), `SHA-256 ${expected.sha256}`, sha256(data))
  return data
}

/** Cuts float32 arrays of given lengths off a file. */
function unpacker(path: string, data: Buffer): (length: number) => Float32Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  let at = 0
  return (length) => {
    if (4 * (at + length) > data.byteLength)
      throw damaged(path, `at least ${4 * (at + length)} bytes`, `${data.byteLength}`)
    const out = Float32Array.from({ length }, (_, i) => view.getFloat32(4 * (at + i), true))
    at += length
    return out
  }
}

/** Reads a model folder. Throws UserError with exit code 7 where it is damaged or of another version. */
export function loadModel(folder: string): StoredModel {
  const json = parseModelJson(folder)
  if (String(json.layerSizes) !== String(LAYER_SIZES)) {
    throw damaged(join(folder, 'model.json'), `layers ${LAYER_SIZES}`, `${json.layerSizes}`)
  }
  checkedFile(folder, 'features.json', json.files['features.json'])
  const take = unpacker(join(folder, 'weights.bin'), checkedFile(folder, 'weights.bin', json.files['weights.bin']))
  const scaling = { centre: take(FEATURES.length), deviation: take(FEATURES.length) }
  const layers = (): Layer[] =>
    LAYER_SIZES.slice(1).map((n, i) => ({ kernel: take(LAYER_SIZES[i]! * n), bias: take(n) }))
  const members = json.members.map((m): Member => ({ ...m, layers: layers() }))
  return { name: basename(folder), parameters: { scaling, members }, provenance: json.provenance }
}
