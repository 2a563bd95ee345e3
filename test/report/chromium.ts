// A headless Chromium for tests, from a development dependency that carries it for linux x64, with the libraries that small
// systems lack. Unpacked (200 MB) into a folder of its own, which goes when the test is done.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { type Browser, chromium } from 'playwright-core'

const PACKAGE = '@sparticuz/chromium'

export type Chromium =
  | { readonly ok: true; readonly browser: Browser; readonly close: () => Promise<void> }
  | { readonly ok: false; readonly reason: string }

/** A running browser, or why there is none. */
export async function startChromium(): Promise<Chromium> {
  const { platform, arch } = process
  if (platform !== 'linux' || arch !== 'x64')
    return { ok: false, reason: `${PACKAGE} carries a browser for linux x64, this is ${platform} ${arch}` }
  const folder = mkdtempSync(join(tmpdir(), 'allotrope-chromium-'))
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  try {
    const browser = await launch(folder)
    return { ok: true, browser, close: () => browser.close().finally(remove) }
  } catch (error) {
    remove()
    return { ok: false, reason: `no headless Chromium: ${error instanceof Error ? error.message : error}` }
  }
}

async function launch(folder: string): Promise<Browser> {
  const archives = archiveFolder()
  const executablePath = join(folder, 'chromium')
  writeFileSync(executablePath, brotliDecompressSync(readFileSync(join(archives, 'chromium.br'))), { mode: 0o755 })
  for (const name of ['al2023', 'fonts']) unpack(join(archives, `${name}.tar.br`), folder)
  const home = join(folder, 'home')
  mkdirSync(home)
  const libraries = [process.env.LD_LIBRARY_PATH, join(folder, 'lib')].filter(Boolean).join(':')
  const env = { ...process.env, LD_LIBRARY_PATH: libraries, HOME: home, FONTCONFIG_PATH: join(folder, 'fonts') }
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--no-zygote', '--disable-gpu'], env })
}

function archiveFolder(): string {
  let folder = dirname(createRequire(import.meta.url).resolve(PACKAGE))
  while (!folder.endsWith(join(PACKAGE))) folder = dirname(folder)
  return join(folder, 'bin')
}

function unpack(archive: string, folder: string): void {
  const input = brotliDecompressSync(readFileSync(archive))
  const { status, stderr } = spawnSync('tar', ['-xf', '-', '-C', folder, '--no-same-owner'], { input })
  if (status !== 0) throw new Error(`tar could not unpack ${archive}: ${stderr}`)
}
