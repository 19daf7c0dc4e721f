import fc from 'fast-check'
import { expect, test } from 'vitest'
import { unmask } from '../src/connection/frame-reader.ts'

const MASK_LENGTH = 4

test('a payload of any length is unmasked wherever it is in memory', () => {
  const payload = fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ minLength: 500, maxLength: 1_100, size: 'max' }))
  const mask = fc.uint8Array({ minLength: MASK_LENGTH, maxLength: MASK_LENGTH })
  fc.assert(
    fc.property(payload, mask, fc.nat(9), fc.nat(9), (plain, key, before, after) => {
      const start = before + MASK_LENGTH
      const end = start + plain.length
      const masked = plain.map((byte, at) => byte ^ (key[at % MASK_LENGTH] ?? 0))
      const around = [Buffer.alloc(before, 7), key, plain, Buffer.alloc(after, 9)]
      const bytes = Buffer.concat([Buffer.alloc(before, 7), key, masked, Buffer.alloc(after, 9)])
      unmask(bytes, start, end)
      expect(bytes.equals(Buffer.concat(around))).toBe(true)
      unmask(bytes, start, end)
      expect(bytes.subarray(start, end).equals(masked)).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})
