// The public menu: the flows, what they take and return, and the errors that they throw. Everything else is inside.
// Each flow takes its options and a Talk; `silentTalk` says nothing.
export { type Complaint, EXIT, type ExitCode, InvariantError, UnsupportedError, UserError } from './base/errors.ts'
export { silentTalk, type Talk } from './base/talk.ts'
export { type CollectOptions, type CollectResult, collect } from './collect.ts'
export { type CompareOptions, type CompareResult, compare } from './compare.ts'
export { type OptimizeOptions, optimize, type Run } from './optimize.ts'
export type { DeviceName } from './runtime/index.ts'
export { type TrainOptions, type TrainResult, train } from './train.ts'
