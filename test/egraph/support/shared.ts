// Where shared test data lies, if anywhere: the folder in ALLOTROPE_SHARED, or ../shared/data beside the repository.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The path of a shared file, or null. */
export function sharedFile(name: string): string | null {
  const folders = [process.env.ALLOTROPE_SHARED, fileURLToPath(new URL('../../../../shared/data', import.meta.url))]
  for (const folder of folders) {
    const path = folder ? `${folder}/${name}` : null
    if (path !== null && existsSync(path)) return path
  }
  return null
}
