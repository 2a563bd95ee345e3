// Which cost model prices: the one the user names, else the one that is shipped for the device.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CostModel, loadLearnedModel, untrainedModel } from '../cost/index.ts'
import type { DeviceName } from '../runtime/index.ts'

const MODELS = fileURLToPath(new URL('../../models/', import.meta.url))
/** Trained on CPU timings; on other devices it orders programs by CPU time until a dataset of the device is collected. */
const SHIPPED = 'cpu-x64-v1'

export interface ChosenModel {
  readonly model: CostModel
  /** What to say when it is not made for the device; empty otherwise. */
  readonly warning: string
}

/** The cost model for a device. */
export function chooseCostModel(folder: string | null, device: DeviceName): ChosenModel {
  if (folder !== null) return { model: loadLearnedModel(folder), warning: '' }
  const shipped = join(MODELS, SHIPPED)
  if (!existsSync(shipped))
    return {
      model: untrainedModel(),
      warning: 'no trained cost model is installed; prices come from an untrained roofline',
    }
  const foreign =
    device === 'cpu'
      ? ''
      : `cost model ${SHIPPED} was trained on a CPU, not on ${device}: train one with collect --device ${device} and train`
  return { model: loadLearnedModel(shipped), warning: foreign }
}
