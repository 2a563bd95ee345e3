// A child of watch.ts whose cases go wrong in every way.
import { serveCases } from './serve.ts'

const hoard: Uint8Array[] = []

await serveCases(async (at) => {
  if (at === 2) throw new Error('planted')
  if (at === 4) for (;;);
  if (at === 6) process.exit(9)
  while (at === 8) {
    hoard.push(new Uint8Array(2 ** 24).fill(1))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return at % 2 === 0 ? 'even' : 'odd'
})
