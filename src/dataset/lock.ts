// One writer per dataset: a file `.lock` that names the process that holds it. A lock whose process is gone is taken over.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { UserError } from '../base/errors.ts'

export interface Lock {
  /** What was found and done, for the user; '' when there was nothing to say. */
  readonly note: string
  release(): void
}

const isCode = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException).code === code

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !isCode(error, 'ESRCH')
  }
}

function tryCreate(path: string, mark: string): boolean {
  try {
    writeFileSync(path, mark, { flag: 'wx' })
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  }
}

function readMark(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null
    throw error
  }
}

/** True if the process named by a mark may still be at work: always, when it is another machine's. */
function isHeld(mark: string): boolean {
  const [pid = '', host = ''] = mark.split(' ')
  return host !== hostname() || (Number(pid) > 0 && isAlive(Number(pid)))
}

/** Takes a stale lock out of the way; if someone else renewed it meanwhile, puts theirs back. */
function removeStale(path: string, stale: string): void {
  const aside = `${path}.${process.pid}`
  try {
    renameSync(path, aside)
    if (readMark(aside) !== stale) linkSync(aside, path)
    rmSync(aside)
  } catch (error) {
    if (!isCode(error, 'ENOENT') && !isCode(error, 'EEXIST')) throw error
  }
}

/** Takes the lock of a folder. Throws UserError where another process holds it. */
export function takeLock(folder: string): Lock {
  const path = join(folder, '.lock')
  const mark = `${process.pid} ${hostname()} ${Date.now()}`
  let note = ''
  for (let attempt = 0; attempt < 3; attempt++) {
    if (tryCreate(path, mark)) return { note, release: () => releaseLock(path, mark) }
    const found = readMark(path)
    if (found === null) continue
    if (isHeld(found)) throw busy(path, found)
    removeStale(path, found)
    note = `${path}: the lock of process ${found.split(' ')[0]}, which is gone, was taken over`
  }
  throw busy(path, readMark(path) ?? 'another process')
}

function releaseLock(path: string, mark: string): void {
  if (readMark(path) === mark) rmSync(path)
}

function busy(path: string, mark: string): UserError {
  const [pid, host] = mark.split(' ')
  return new UserError({
    code: 'dataset-in-use',
    where: path,
    expected: 'no other writer',
    got: `process ${pid} on ${host ?? 'this machine'} writes this dataset`,
    fix: `wait for it to end; if it is gone for good, delete ${path}`,
  })
}
