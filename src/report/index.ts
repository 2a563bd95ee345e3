// The report room: stored records and the pages that are functions of them. No engine, no runtime.

export { renderCompare } from './compare-page.ts'
export { COMPARE_SCHEMA, type CompareRecord, compareSchema, type MetricsRecord } from './compare-record.ts'
export { readComparison, readRun, writeRecord } from './files.ts'
export { RUN_SCHEMA, type RunRecord, type RunTiming, runSchema } from './record.ts'
export { renderRun } from './run-page.ts'
