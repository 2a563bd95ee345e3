// Test data that lies outside the repository: in the folder ALLOTROPE_SHARED, or in ../shared/data. Tests that need it skip,
// with the reason, where it is absent.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

export type SharedData = { readonly ok: true; readonly path: string } | { readonly ok: false; readonly reason: string }

/** The unpacked folder of `<name>.tar.xz`; unpacked once and kept in the system's temporary folder. */
export function sharedArchive(name: string): SharedData {
  const archive = join(sharedFolder(), `${name}.tar.xz`)
  if (!existsSync(archive)) return { ok: false, reason: `${name}.tar.xz is not among the shared test data` }
  const { size, mtimeMs } = statSync(archive)
  const cache = join(tmpdir(), 'allotrope-shared')
  const target = join(cache, `${name}-${size}-${Math.floor(mtimeMs)}`)
  try {
    if (!existsSync(target)) unpack(archive, cache, target)
    return { ok: true, path: target }
  } catch (error) {
    return { ok: false, reason: `${archive} does not unpack: ${error instanceof Error ? error.message : error}` }
  }
}

const sharedFolder = (): string => process.env.ALLOTROPE_SHARED ?? resolve(import.meta.dirname, '../../../shared/data')

function unpack(archive: string, cache: string, target: string): void {
  mkdirSync(cache, { recursive: true })
  const temporary = mkdtempSync(join(cache, 'unpacking-'))
  execFileSync('tar', ['-xJf', archive, '-C', temporary], { stdio: 'pipe' })
  try {
    renameSync(temporary, target)
  } catch (error) {
    // Another test process was faster.
    rmSync(temporary, { recursive: true, force: true })
    if (!existsSync(target)) throw error
  }
}
