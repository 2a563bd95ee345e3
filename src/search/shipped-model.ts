// Which cost model prices: the one the user names, else the one that is shipped for the device.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type CostModel,
  learnedModel,
  loadLearnedModel,
  loadModel,
  type StoredModel,
  untrainedModel,
  withMeasuredRates,
  withSlowSubnormals,
} from '../cost/index.ts'
import type { DeviceName } from '../runtime/index.ts'

const MODELS = fileURLToPath(new URL('../../models/', import.meta.url))
/** What is shipped for each device, trained on timings of one machine. */
const SHIPPED: Readonly<Record<DeviceName, string>> = {
  cpu: 'cpu-x64-v1',
  webgpu: 'webgpu-h100-v1',
  cuda: 'cuda-h100-v1',
}

export interface ChosenModel {
  readonly model: CostModel
  /** What to say when it is not made for the device; empty otherwise. */
  readonly warning: string
}

/** The cost model for a device, whose name (`Availability.reason`) tells whether the shipped one knows it. */
export function chooseCostModel(folder: string | null, device: DeviceName, adapter: string): ChosenModel {
  if (folder !== null) return { model: loadLearnedModel(folder), warning: '' }
  const shipped = join(MODELS, SHIPPED[device])
  if (!existsSync(shipped))
    return {
      model: untrainedModel(),
      warning: 'no trained cost model is installed; prices come from an untrained roofline',
    }
  const stored = loadModel(shipped)
  const isForeign = device !== 'cpu' && !stored.provenance.provider.startsWith(adapter)
  const model = device === 'cpu' ? withMeasuredRates(learnedModel(stored)) : learnedModel(stored)
  return { model, warning: isForeign ? foreign(device, stored, adapter) : '' }
}

/** The same for a processor that is slow at weights below the normal range. */
export const pricedForSlowSubnormals = (chosen: ChosenModel): ChosenModel => ({
  ...chosen,
  model: withSlowSubnormals(chosen.model),
})

const foreign = (device: DeviceName, { name, provenance }: StoredModel, adapter: string): string =>
  `cost model ${name} was trained on ${provenance.provider}, not on ${adapter}: ` +
  `train one with collect --device ${device} --kernels 5000 and train`
