// The bench: is a variant equal to the original, and how fast is it? Inputs, numerical verification, timing, the machine.
export { compareModels } from './compare-models.ts'
export { type InputSetOptions, inputSets, otherShapes, timingInputs } from './input-sets.ts'
export { INPUT_KINDS, type InputKind, type InputSet, type InputSpec, inputSpecs, makeInputs } from './inputs.ts'
export { describeMachine, type Machine } from './machine.ts'
export {
  type Measurement,
  type MeasureOptions,
  measure,
  type Ratio,
  type Timed,
  type TimedModel,
  type VariantTiming,
} from './measure.ts'
export { measureInProcesses, type ProcessMeasurement, type ProcessOptions } from './measure-processes.ts'
export { type NoiseFloor, noiseFloor } from './noise-floor.ts'
export { REPLAY, writeReplay } from './replay.ts'
export { firstRunnable } from './runnable.ts'
export { readInputSets, readInputShapes } from './user-inputs.ts'
export {
  prepareMeanwhile,
  prepareReference,
  type Reference,
  type Verification,
  type VerifiedOutput,
  type VerifyTarget,
  verifyCandidate,
  verifyModels,
  type Witness,
} from './verify.ts'
export { type Compared, verifyUntil } from './verify-until.ts'
