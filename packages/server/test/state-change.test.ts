import { expect, test } from 'vitest'
import { toUpdate, updateJsonOf } from '../src/state/state-change.ts'

test('[S5] an update contains the JSON text of its value', () => {
  const change = {
    key: 'a:ü"',
    version: 1795314490817000,
    writer: 'w',
    expiresAt: 5,
    value: { a: [1, 'x'] },
    valueJson: '{ "a": [1.0, "x"] }',
  }
  expect(JSON.parse(updateJsonOf(change) ?? '')).toEqual(toUpdate(change))
})

test('[S5] a patch, a removal and a value without its text have no text', () => {
  expect(updateJsonOf({ key: 'a', version: 2, base: 1, patch: { a: 1 } })).toBe(undefined)
  expect(updateJsonOf({ key: 'a', version: 2, removed: true })).toBe(undefined)
  expect(updateJsonOf({ key: 'a', version: 2, value: 1 })).toBe(undefined)
})
