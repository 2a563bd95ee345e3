// Time proportional to bytes read and written.
import { type Baseline, proportional } from './baseline.ts'

export const bytes: Baseline = {
  name: 'bytes',
  meaning: 'proportional to bytes read and written',
  fit: (input) => proportional('bytes', (f) => f.work.bytesRead + f.work.bytesWritten + 1, input),
}
