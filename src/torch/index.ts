// The PyTorch room: torch.fx graphs as text, in and out, and Python source. It needs no Python to run.
export {
  codeListing,
  type Demo,
  type DemoIteration,
  type DemoResult,
  type DemoVariant,
  demoListing,
  demoResult,
  insightsListing,
  originalListing,
  resultListing,
  saturationListing,
  timingListing,
  variantsListing,
  verificationListing,
} from './demo-text.ts'
export type { Naming } from './export/emitter.ts'
export { exportFx, type TorchProgram } from './export.ts'
export type { FxArg, FxGraph, FxNode } from './fx-graph.ts'
export { parseFx } from './fx-parse.ts'
export { printFx } from './fx-print.ts'
export { type ImportOptions, type InputType, importFx, TORCH_DOMAIN } from './import.ts'
export { type ModuleSource, moduleSource, type SourceOptions } from './module-source.ts'
export { type Module, parseModules } from './module-tree.ts'
export { forwardCode } from './python-code.ts'
export { readSafetensors, writeSafetensors } from './safetensors.ts'
