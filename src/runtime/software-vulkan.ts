// A GPU that is none: SwiftShader, Vulkan on the CPU, which the package @sparticuz/chromium carries for linux x64. With it the
// WebGPU provider runs for real wherever there is no graphics card: slowly, so it proves correctness, never speed.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { brotliDecompressSync } from 'node:zlib'
import { shortHash } from '../base/hash.ts'

type Environment = Readonly<Record<string, string>>

const PACKAGE = '@sparticuz/chromium'
const DRIVER_MANIFEST = 'vk_swiftshader_icd.json'

/** Whether the user wants software Vulkan: always ('1'), never ('0'), or where there is no real adapter. */
export function softwareVulkanWish(): 'always' | 'never' | 'if-needed' {
  const wish = process.env.ALLOTROPE_SOFTWARE_VULKAN
  return wish === '1' ? 'always' : wish === '0' ? 'never' : 'if-needed'
}

/** Environment in which a worker finds SwiftShader and no other driver; null where the package is not installed. The driver is
 * unpacked once, into the user's cache. */
export function softwareVulkanEnvironment(): Environment | null {
  const loader = vulkanLoaderEnvironment()
  if (loader === null) return null
  const manifest = join(loader.folder, DRIVER_MANIFEST)
  return { ...loader.environment, VK_ICD_FILENAMES: manifest, VK_DRIVER_FILES: manifest }
}

/** Environment with the package's Vulkan loader and the system's own drivers; null where the package is not installed. */
export function vulkanLoaderEnvironment(): { readonly folder: string; readonly environment: Environment } | null {
  const archive = archivePath()
  if (archive === null) return null
  const folder = unpackedFolder(archive)
  const path = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':')
  return { folder, environment: { LD_LIBRARY_PATH: path } }
}

function archivePath(): string | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null
  let folder: string
  try {
    folder = dirname(createRequire(import.meta.url).resolve(PACKAGE))
  } catch {
    return null // not installed
  }
  for (; folder !== dirname(folder); folder = dirname(folder)) {
    const archive = join(folder, 'bin', 'swiftshader.tar.br')
    if (existsSync(archive)) return archive
  }
  return null
}

const cacheRoot = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'allotrope')

/** Complete or absent: unpacked beside its place and renamed into it. */
function unpackedFolder(archive: string): string {
  const packed = readFileSync(archive)
  const root = writableFolder(cacheRoot()) ?? mkdtempSync(join(tmpdir(), 'allotrope-cache-'))
  const folder = join(root, `software-vulkan-${shortHash(packed)}`)
  if (existsSync(join(folder, DRIVER_MANIFEST))) return folder
  const half = mkdtempSync(join(root, 'unpacking-'))
  const tar = join(half, 'driver.tar')
  writeFileSync(tar, brotliDecompressSync(packed))
  const done = spawnSync('tar', ['-xf', tar, '-C', half, '--no-same-owner'], { stdio: 'ignore' })
  rmSync(tar)
  if (done.status !== 0) throw new Error(`tar could not unpack ${archive}`)
  moveInto(half, folder)
  return folder
}

/** Another process may have been faster; its copy is as good. */
function moveInto(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    rmSync(from, { recursive: true, force: true })
    if (!existsSync(join(to, DRIVER_MANIFEST))) throw error
  }
}

function writableFolder(path: string): string | null {
  try {
    mkdirSync(path, { recursive: true })
    rmSync(mkdtempSync(join(path, 'probe-')), { recursive: true })
    return path
  } catch {
    return null // a read-only home: the caller takes a temporary folder
  }
}
