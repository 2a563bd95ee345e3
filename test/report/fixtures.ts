// Records for tests: one gain, one no-gain, one comparison. Numbers are made up and say so.
import type { CompareRecord, MetricsRecord, RunRecord } from '../../src/report/index.ts'

const names = ['original', 'v17', 'v4', 'v22', 'v9', 'v31']
const medians = [4.118, 3.655, 3.702, 3.81, 4.02, 4.4]

export const gainRun: RunRecord = {
  schema: 'allotrope.optimize/1',
  madeAt: '2026-01-02T03:04:05.000Z',
  command: 'allotrope optimize models/segformer-head.onnx -o segformer-head.fast.onnx',
  input: 'models/segformer-head.onnx',
  output: 'segformer-head.fast.onnx',
  report: 'segformer-head.fast.report.html',
  replay: null,
  gain: true,
  interrupted: false,
  verdict: { kind: 'gain', reason: '' },
  device: 'cpu',
  threads: 1,
  seed: 0,
  shapes: { c1: [1, 32, 64, 64], c2: [1, 64, 32, 32] },
  costModel: 'cpu-x64-v1',
  originalMs: { median: 4.118, iqr: 0.05, n: 60 },
  chosenMs: { median: 3.655, iqr: 0.04, n: 30 },
  speedup: 1.127,
  speedupInterval: [1.118, 1.135],
  predictedSpeedup: 1.19,
  variants: 64,
  distinctAfterLowering: 41,
  measured: 5,
  noise: 0.012,
  timings: names.map((name, i) => ({
    name: i === 0 ? name : `variant ${name}`,
    role:
      i === 0
        ? ('original' as const)
        : i === 1
          ? ('chosen' as const)
          : i === 5
            ? ('dropped' as const)
            : ('measured' as const),
    medianMs: medians[i]!,
    lowMs: medians[i]! * 0.992,
    highMs: medians[i]! * 1.009,
    ratio: medians[i]! / 4.118,
  })),
  candidates: Array.from({ length: 12 }, (_, i) => ({
    name: names[i] ?? `v${i + 40}`,
    predictedMs: [4.3, 3.61, 3.6, 3.78, 3.85, 4.1][i] ?? 4 + i / 20,
    measuredMs: medians[i] ?? null,
    role: i === 0 ? ('original' as const) : i === 1 ? ('chosen' as const) : ('other' as const),
  })),
  verified: { passed: true, inputs: 8, maxAbs: 2.4e-6, maxRel: 8.1e-6 },
  outputs: [{ name: 'logits', maxAbs: 2.4e-6, maxRel: 8.1e-6, tolerance: 3.4e-5 }],
  rules: [
    { name: 'linear-of-concat', count: 4, law: 'lin(concat(a, b), W) = lin(a, W\u2081) + lin(b, W\u2082)' },
    { name: 'resize-commutes-with-linear', count: 3, law: 'lin(resize(x), W) = resize(lin(x, W))' },
    { name: 'linear-of-linear', count: 4, law: 'lin(lin(x, A), B) = lin(x, A B)' },
  ],
  misses: [
    {
      rule: 'lin-of-conv',
      looked: 4,
      fires: 3,
      refused: [{ reason: 'the convolution has groups', count: 1, where: 'pool', eNode: 'lin{1}(Conv(c1, w))' }],
    },
  ],
  steps: [
    {
      rule: 'lin-of-concat',
      law: '[x, y] W = x W1 + y W2',
      where: 'head',
      before: 'lin(concat(c1, c2), W)',
      after: 'lin(c1, W1) + lin(c2, W2)',
    },
  ],
  bodies: null,
  recipe: null,
  saturation: {
    iterations: 8,
    eNodes: 3871,
    eClasses: 1402,
    stopReason: 'saturated',
    seconds: 1.9,
    growth: [214, 390, 811, 1502, 2390, 3166, 3702, 3850, 3871].map((eNodes, iteration) => ({
      iteration,
      eNodes,
      eClasses: Math.round(180 + (1402 - 180) * (1 - Math.exp(-iteration / 2.5))),
    })),
  },
  kernels: {
    source: 'predicted',
    original: [
      { op: 'com.microsoft.nchwc:Conv', count: 6, ms: 2.6 },
      { op: 'Resize', count: 3, ms: 0.9 },
      { op: 'MatMul', count: 4, ms: 0.42 },
      { op: 'Transpose', count: 8, ms: 0.13 },
      { op: 'Concat', count: 1, ms: 0.09 },
      { op: 'Add', count: 4, ms: 0.06 },
    ],
    chosen: [
      { op: 'com.microsoft.nchwc:Conv', count: 5, ms: 1.4 },
      { op: 'Resize', count: 3, ms: 0.95 },
      { op: 'Sum', count: 1, ms: 0.21 },
      { op: 'Transpose', count: 2, ms: 0.04 },
    ],
  },
  graphs: {
    original: [
      { op: 'MatMul', shape: '1x256x64', ms: 0.42, sources: [], changed: false },
      { op: 'Add', shape: '1x256x64', ms: 0.01, sources: [0], changed: false },
      { op: 'Resize', shape: '1x64x64x64', ms: 0.9, sources: [1], changed: true },
      { op: 'com.microsoft.nchwc:Conv', shape: '1x32x64x64', ms: 2.6, sources: [2], changed: true },
    ],
    chosen: [
      { op: 'MatMul', shape: '1x256x64', ms: 0.42, sources: [], changed: false },
      { op: 'Add', shape: '1x256x64', ms: 0.01, sources: [0], changed: false },
      { op: 'com.microsoft.nchwc:Conv', shape: '1x32x16x16', ms: 1.4, sources: [1], changed: true },
      { op: 'Resize', shape: '1x32x64x64', ms: 0.4, sources: [2], changed: true },
    ],
  },
  bytes: { original: 540_000, chosen: 410_000 },
  seconds: { load: 0.2, saturate: 1.9, predict: 2.2, verify: 1.1, measure: 6.3, write: 0.1, total: 11.8 },
  machine: {
    cpu: 'Example CPU with AVX-512',
    cores: 2,
    memoryBytes: 24e9,
    os: 'linux 6.1',
    loadAverage: [0.4, 0.5, 0.6],
    versions: { allotrope: '0.1.0', node: '20.20.2', onnxruntime: '1.30.0' },
  },
  warnings: ['the machine was busy while measuring: intervals are wider than usual'],
  next: [
    {
      command: 'allotrope explain segformer-head.fast.onnx',
      purpose: 'every step from the original to the written graph',
    },
    {
      command: 'allotrope verify models/segformer-head.onnx segformer-head.fast.onnx',
      purpose: 'compares the two again, on other inputs',
    },
  ],
}

export const noGainRun: RunRecord = {
  ...gainRun,
  input: 'models/resnet-50.onnx',
  output: null,
  gain: false,
  verdict: { kind: 'no-gain', reason: 'no variant is faster than the original beyond the noise of this machine' },
  chosenMs: null,
  speedup: null,
  speedupInterval: null,
  predictedSpeedup: null,
  timings: gainRun.timings.map((t) =>
    t.role === 'chosen' ? { ...t, role: 'measured' as const, medianMs: 4.11, lowMs: 4.07, highMs: 4.15 } : t,
  ),
  candidates: gainRun.candidates.map((c) => ({ ...c, role: c.role === 'chosen' ? ('other' as const) : c.role })),
  kernels: { ...gainRun.kernels!, chosen: [] },
  graphs: null,
  steps: [],
  bytes: { original: 24_100_000, chosen: null },
  warnings: [],
  rules: [],
  verified: null,
  outputs: [],
}

const metrics = (k: number): MetricsRecord => ({
  mape: 0.07 * k,
  within10: Math.max(0, 0.92 - 0.1 * k),
  kendallTau: 0.85 - 0.09 * k,
  tauCeiling: 0.93,
  pairwise: 0.97 - 0.04 * k,
  top1Regret: { mean: 0.008 * k, p90: 0.02 * k, max: 0.08 * k },
  top5Regret: 0.002 * k,
  gainCapture: Math.max(0, 1.02 - 0.05 * k),
})
const ranking = (k: number): MetricsRecord => ({ ...metrics(k), mape: null, within10: null })

const families = [
  'matmul-chain',
  'conv-composition',
  'row-pooling',
  'scalar-chain',
  'segformer-head',
  'graph-convolution',
  'transformer',
  'spelled-activation',
]

export const comparison: CompareRecord = {
  schema: 'allotrope.compare/1',
  madeAt: '2026-01-02T03:04:05.000Z',
  command: 'allotrope compare datasets/cpu-x64-v1 --model models/cpu-x64-v1',
  dataset: 'datasets/cpu-x64-v1',
  modelName: 'cpu-x64-v1',
  split: 'family',
  groups: 96,
  rows: 1204,
  device: 'cpu',
  model: metrics(1),
  baselines: {
    flops: ranking(6),
    bytes: ranking(7),
    kernelCount: ranking(9),
    roofline: metrics(5),
    rooflineCalibrated: metrics(3),
    opTable: metrics(2.4),
    bestFixedPlan: ranking(3.4),
    random: ranking(10),
    oracle: ranking(0),
  },
  families: families.map((family, i) => ({ family, groups: 3 + i, rows: 20 + 5 * i, metrics: metrics(0.6 + i / 5) })),
  points: Array.from({ length: 400 }, (_, i) => {
    const measuredMs = 10 ** (-2 + (3.4 * ((i * 37) % 400)) / 400)
    return {
      family: families[i % families.length]!,
      root: `g${i % 40}`,
      measuredMs,
      predictedMs: measuredMs * Math.exp(0.18 * Math.sin(i * 12.9898) + 0.1 * Math.cos(i * 4.1)),
    }
  }),
  notes: ['12 of 1204 graph times have no second repeat: there the same measurement selects and judges'],
  next: [{ command: 'allotrope optimize MODEL --cost-model models/cpu-x64-v1', purpose: 'uses this model' }],
}
