import { expect, test } from 'vitest'
import { toUpdate } from '../src/state/state-change.ts'

test('[S5] an update is the entry or the patch of a change, without the rest', () => {
  const rest = { writer: 'w', expiresAt: 5, valueJson: '1', entryJson: '{}' }
  const value = { key: 'a', version: 2, value: { a: [1, 'x'] } }
  const removal = { key: 'a', version: 2, removed: true } as const
  const patch = { key: 'a', version: 2, base: 1, patch: { a: 1 } }
  for (const update of [value, removal, patch]) expect(toUpdate({ ...update, ...rest })).toStrictEqual(update)
  for (const update of [value, removal]) expect(toUpdate({ ...update, ...rest, reset: true })).toStrictEqual({ ...update, reset: true })
})

test('[S5] a change without its value is no update', () => {
  expect(toUpdate({ key: 'a', version: 2 })).toBe(undefined)
  expect(toUpdate({ key: 'a', version: 2, patch: { a: 1 } })).toBe(undefined)
})
