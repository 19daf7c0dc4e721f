import { expect, test } from 'vitest'
import { peakBytes, resetPeak } from '../src/measure/peak-rss.ts'

const BYTES = 200_000_000

test.runIf(process.platform === 'linux')('the highest RSS is that since the last reset', () => {
  const { buffer } = new Uint8Array(BYTES).fill(1)
  const peak = peakBytes()
  // Frees the memory at once.
  buffer.transfer(0)
  expect(peakBytes()).toBeGreaterThan(BYTES)
  resetPeak()
  expect(peak - peakBytes()).toBeGreaterThan(BYTES * 0.8)
})
