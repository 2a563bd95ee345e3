// Large files, written piece by piece without being put together in memory, and atomically: a reader sees the old file or the new
// one, never a part. (Small ones are written by write-file-atomic, which takes them whole.)
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'

/** Largest piece given to one write call; some platforms refuse more than 2 GiB. */
const MOST_BYTES = 2 ** 30

/** Puts the chunks, one after the other, in place of what is at `path`, a link being followed. `isDurable`: waits for the disk. */
export function writeChunks(path: string, chunks: Iterable<Uint8Array>, isDurable: boolean): void {
  const target = existsSync(path) ? realpathSync(path) : path
  const temporary = `${target}.${randomBytes(4).toString('hex')}.tmp`
  const mode = statSync(target, { throwIfNoEntry: false })?.mode ?? 0o666
  try {
    const fd = openSync(temporary, 'wx', mode)
    try {
      for (const chunk of chunks) writeFully(fd, chunk)
      if (isDurable) fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, target)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

function writeFully(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(fd, bytes, done, Math.min(MOST_BYTES, bytes.length - done))
}
