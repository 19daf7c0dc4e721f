import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareKeys, prefixesOf } from '../src/internal.ts'

test('[S17] keys are in the order of their UTF-8 bytes', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', ':', 'é', '\ud7ff', '\ue000', '\uffee', '😀', '🪕') })
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    }),
    { numRuns: 2_000 },
  )
})

test('[S17] characters beyond the basic plane come after all others', () => {
  expect(compareKeys('\u{10000}', '\uffff')).toBeGreaterThan(0)
  // They differ only in their second units, which are the last two of all.
  expect(compareKeys('\u{103ff}', '\u{103fe}')).toBeGreaterThan(0)
})

test('[S17] a key is below each prefix that ends before it, and not below itself', () => {
  expect(prefixesOf('a:b:c')).toEqual(['a:', 'a:b:'])
  expect(prefixesOf('a')).toEqual([])
})
