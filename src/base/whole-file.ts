// Large files put in place atomically: a reader sees the old file or the new one, never a part. Written piece by piece without being
// put together in memory, or moved from elsewhere. (Small ones are written by write-file-atomic, which takes them whole.)
import { randomBytes } from 'node:crypto'
import {
  close,
  closeSync,
  copyFileSync,
  existsSync,
  fchmodSync,
  fdatasync,
  fsyncSync,
  open,
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
  replace(path, (temporary, mode) => {
    const fd = openSync(temporary, 'wx', mode)
    try {
      for (const chunk of chunks) writeFully(fd, chunk)
      if (isDurable) fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  })
}

/** Puts the file at `source`, which may be on another file system and is gone then, in place of what is at `path`. Waits for the disk. */
export function moveFile(source: string, path: string): void {
  replace(path, (temporary, mode) => {
    moveOrCopy(source, temporary)
    const fd = openSync(temporary, 'r+')
    try {
      fsyncSync(fd)
      fchmodSync(fd, mode)
    } finally {
      closeSync(fd)
    }
  })
}

/** Has the disk begin with a file that will be moved: nobody waits for it here, or hears that it failed. */
export function beginFlush(path: string): void {
  open(path, 'r', (error, fd) => error || fdatasync(fd, () => close(fd, () => {})))
}

/** `make` makes a new file, of the mode of the old one; where it throws, the old one stays. */
function replace(path: string, make: (temporary: string, mode: number) => void): void {
  const target = existsSync(path) ? realpathSync(path) : path
  const temporary = `${target}.${randomBytes(4).toString('hex')}.tmp`
  const mode = statSync(target, { throwIfNoEntry: false })?.mode ?? NEW_FILE & ~process.umask()
  try {
    make(temporary, mode)
    renameSync(temporary, target)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

const NEW_FILE = 0o666

function moveOrCopy(source: string, path: string): void {
  try {
    renameSync(source, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    copyFileSync(source, path)
    rmSync(source, { force: true })
  }
}

function writeFully(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(fd, bytes, done, Math.min(MOST_BYTES, bytes.length - done))
}
