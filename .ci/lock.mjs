// One set-up at a time per clone: `npm start` beside `npm test` must not run two `npm ci` over each other.
// The lock lies in the temporary folder, since `npm ci` deletes node_modules, and names the process that holds it.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** @param {string} root */
export const lockFolder = (root) =>
  join(tmpdir(), `allotrope-setup-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`)

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}

/** @param {string} folder */
function tryLock(folder) {
  try {
    mkdirSync(folder)
    writeFileSync(join(folder, 'pid'), String(process.pid))
    return true
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error
    return false
  }
}

/** Process that holds the lock, or null when nobody does any more. @param {string} folder */
function holderOf(folder) {
  try {
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'))
    return pid > 0 && isAlive(pid) ? pid : null
  } catch {
    return null
  }
}

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Runs `work` while no other set-up of this clone runs. @template T @param {string} root @param {() => Promise<T>} work @returns {Promise<T>} */
export async function whileLocked(root, work) {
  const folder = lockFolder(root)
  let told = false
  while (!tryLock(folder)) {
    // A holder that has just made the folder may not have written its number yet: look twice before taking over.
    if (holderOf(folder) === null) {
      await sleep(500)
      if (holderOf(folder) === null) rmSync(folder, { recursive: true, force: true })
      continue
    }
    if (!told) process.stderr.write('setup: another set-up of this clone is running; waiting for it\n')
    told = true
    await sleep(500)
  }
  try {
    return await work()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
