// The room's door: rows on disk.
export type { DatasetAbout } from './about.ts'
export {
  type Dataset,
  type DatasetWriter,
  datasetName,
  type Machine,
  type OpenOptions,
  openDataset,
  readDataset,
  type Tables,
} from './folder.ts'
export { type Label, labelOf, loweredKey, originalMicros } from './label.ts'
export {
  DATASET_SCHEMA,
  formatCounts,
  type GraphRow,
  type KernelRow,
  type KernelTimingRow,
  parseCounts,
  type Row,
  TABLE_NAMES,
  TABLES,
  type TableName,
  type TimingRow,
  type VariantRow,
} from './schema.ts'
export { type Fold, leaveFamiliesOut, leaveOneFamilyOut, leaveRootsOut } from './split.ts'
