import { expect, test } from 'vitest'
import { isAbsent, neverThere, valueOf } from '../src/internal.ts'

test('[S10] a key that was never written is absent at version 0 and has no value', () => {
  const absent = neverThere('a')
  expect(absent).toStrictEqual({ key: 'a', version: 0, removed: true })
  expect(isAbsent(absent)).toBe(true)
  expect(valueOf(absent)).toBe(undefined)
})

test('[S10] null is a value', () => {
  const entry = { key: 'a', version: 1, value: null }
  expect(isAbsent(entry)).toBe(false)
  expect(valueOf(entry)).toBe(null)
})
