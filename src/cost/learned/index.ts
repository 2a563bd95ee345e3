// The learned cost model, ready to price: from a folder of models/, or untrained.
import { DEFAULT_CALIBRATION } from '../baselines/calibrated-roofline.ts'
import type { CostModel } from '../cost-model.ts'
import { asCostModel } from '../facts-model.ts'
import { FEATURES } from '../features.ts'
import { loadModel, type StoredModel } from './model-file.ts'
import { networkModel, untrainedMember } from './network.ts'

/** A stored model as a CostModel. */
export const learnedModel = (stored: StoredModel): CostModel =>
  asCostModel(networkModel(stored.name, stored.parameters))

/** Loads models/<name>. Throws UserError with exit code 7 where the files are damaged or of another version. */
export const loadLearnedModel = (folder: string): CostModel => learnedModel(loadModel(folder))

/** What prices before anything was measured: a roofline with the figures of one current x86 core. */
export function untrainedModel(): CostModel {
  const scaling = { centre: new Float32Array(FEATURES.length), deviation: new Float32Array(FEATURES.length).fill(1) }
  return asCostModel(networkModel('untrained-roofline', { scaling, members: [untrainedMember(DEFAULT_CALIBRATION)] }))
}
