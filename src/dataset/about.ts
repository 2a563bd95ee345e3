// What a dataset is: the file dataset.json.
import { z } from 'zod'
import { DATASET_SCHEMA } from './schema.ts'

export const aboutJson = z.object({
  schema: z.literal(DATASET_SCHEMA),
  name: z.string(),
  description: z.string(),
  licence: z.string(),
  seed: z.number().int(),
})
/** dataset.json: what the dataset is. */
export type DatasetAbout = z.infer<typeof aboutJson>
