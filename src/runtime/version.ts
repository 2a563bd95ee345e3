// The version of ONNX Runtime that is installed, without loading it.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Version of onnxruntime-node; null where it is not installed. */
export function onnxruntimeVersion(): string | null {
  try {
    const entry = createRequire(import.meta.url).resolve('onnxruntime-node')
    const text = readFileSync(join(dirname(entry), '..', 'package.json'), 'utf8')
    const { version }: { version?: unknown } = JSON.parse(text)
    return typeof version === 'string' ? version : null
  } catch {
    return null // not installed, or not laid out as a package: the caller says that it is unknown
  }
}
