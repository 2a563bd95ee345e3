// Short stable hashes of text and bytes, for names of things (variants, kernels, graphs), never for security.
import { createHash } from 'node:crypto'

/** First 16 hex digits of the SHA-256 of `data`. Same input, same digits, on every machine. */
export function shortHash(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex').slice(0, 16)
}
