// The room's door: kernels in, predicted microseconds out.
export type { CostModel } from './cost-model.ts'
export { asCostModel, type FactsModel } from './facts-model.ts'
export { FEATURE_VERSION, FEATURES } from './features.ts'
export { type Kernel, type KernelOperand, type KernelTable, kernelSignature } from './kernel.ts'
export { learnedModel, loadLearnedModel, untrainedModel } from './learned/index.ts'
export { loadModel, type Provenance, type StoredModel } from './learned/model-file.ts'
export { withMeasuredRates } from './measured-rates.ts'
export { withSlowSubnormals } from './subnormal-rates.ts'
