// A temporary folder that goes away with its owner, at the latest with this process.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'

const open = new Set<string>()
const remove = (path: string) => rmSync(path, { recursive: true, force: true })
process.on('exit', () => open.forEach(remove))

/** Made when first asked for a path. */
export class ScratchFolder {
  private path: string | null = null
  private count = 0

  get folder(): string {
    if (this.path === null) {
      this.path = mkdtempSync(join(tmpdir(), 'allotrope-'))
      open.add(this.path)
    }
    return this.path
  }

  /** A path that no one else has. */
  fresh(name: string): string {
    return join(this.folder, `${++this.count}-${name}`)
  }

  remove(): void {
    if (this.path === null) return
    remove(this.path)
    open.delete(this.path)
    this.path = null
  }
}
