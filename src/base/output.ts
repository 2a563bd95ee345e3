// The door check of whatever will be written: asked before any work is done, so that hours do not end in a folder that is missing.
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { EXIT, UserError } from './errors.ts'

function unwritable(where: string, expected: string, got: string, fix: string): UserError {
  return new UserError({ code: 'unwritable', where, expected, got, fix })
}

function requireFolder(folder: string): void {
  if (!existsSync(folder)) throw unwritable(folder, 'a folder to write to', 'none', 'make it, or choose another path')
  if (!statSync(folder).isDirectory()) throw unwritable(folder, 'a folder to write to', 'a file', 'choose another path')
  try {
    accessSync(folder, constants.W_OK)
  } catch {
    throw unwritable(
      folder,
      'a folder to write to',
      'one that is read-only',
      'change its permissions, or choose another path',
    )
  }
}

/** Throws UserError, with the exit code of wrong usage, where a file would be overwritten that the user did not give up. */
export function requireNewFile(path: string, force: boolean, fix: string): void {
  if (force || !existsSync(path)) return
  const [expected, got] = ['a new file to write', 'a file that exists']
  throw new UserError({ code: 'file-exists', where: path, expected, got, fix, exitCode: EXIT.usage })
}

/** Throws UserError unless a file can be made at `path`, or replaced there. */
export function requireWritableFile(path: string): void {
  if (existsSync(path) && statSync(path).isDirectory())
    throw unwritable(path, 'a file to write', 'a folder', 'name a file in it')
  requireFolder(dirname(resolve(path)))
}

/** Throws UserError unless `path` is a folder that can be written to, or can become one. */
export function requireWritableFolder(path: string): void {
  let folder = resolve(path)
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder)
  requireFolder(folder)
}
