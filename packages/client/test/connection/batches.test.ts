import { DEFAULT_LIMITS } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { inBatches } from '../../src/connection/batches.ts'

test('[C2] names are split before the one that exceeds the limit with its comma', () => {
  // Each takes nine bytes, its comma included; 27 are there.
  const limits = { ...DEFAULT_LIMITS, maxPayloadBytes: 27 + 2 * 128 }
  const names = ['1', '2', '3', '4', '5', '6', '7'].map((digit) => digit.repeat(6))
  expect(inBatches(names, (name) => name, limits)).toEqual([names.slice(0, 3), names.slice(3, 6), names.slice(6)])
  expect(inBatches(names, (name) => name, { ...limits, maxPayloadBytes: limits.maxPayloadBytes - 1 }).map(({ length }) => length)).toEqual([
    2, 2, 2, 1,
  ])
  expect(inBatches(names, (name) => name, { ...limits, maxKeysPerMessage: 2 }).map(({ length }) => length)).toEqual([2, 2, 2, 1])
  expect(inBatches([], (name) => name, limits)).toEqual([])
})
