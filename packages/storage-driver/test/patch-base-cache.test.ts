import { expect, test } from 'vitest'
import { createPatchBaseCache } from '../src/redis/patch-base-cache.ts'

test('[S8] a held entry follows the changes of its key, in version order', () => {
  const recent = createPatchBaseCache()
  recent.follow({ key: 'a', version: 1, value: 'never asked for' })
  expect(recent.get('a')).toBe(undefined)
  recent.set('a', { version: 5, value: { a: 1 } })
  recent.follow({ key: 'a', version: 4, value: 'older' })
  recent.follow({ key: 'a', version: 5, removed: true })
  expect(recent.get('a')).toEqual({ version: 5, value: { a: 1 } })
  recent.follow({ key: 'a', version: 6, base: 5, patch: { b: 2 } })
  expect(recent.get('a')).toEqual({ version: 6, value: { a: 1, b: 2 } })
  recent.follow({ key: 'a', version: 7, removed: true })
  expect(recent.get('a')).toEqual({ version: 7, value: undefined })
  recent.follow({ key: 'a', version: 8, value: null })
  expect(recent.get('a')).toEqual({ version: 8, value: null })
})

test('[S8] what can not be followed is held no longer', () => {
  const recent = createPatchBaseCache()
  recent.set('large', { version: 1, value: 1 })
  recent.follow({ key: 'large', version: 2 })
  expect(recent.get('large')).toBe(undefined)
  recent.set('missed', { version: 1, value: {} })
  recent.follow({ key: 'missed', version: 3, base: 2, patch: { a: 1 } })
  expect(recent.get('missed')).toBe(undefined)
})

test('[S8] the entries set longest ago are forgotten first', () => {
  const recent = createPatchBaseCache(2)
  for (const key of ['a', 'b', 'a', 'c']) recent.set(key, { version: 1, value: key })
  expect(['a', 'b', 'c'].map((key) => recent.get(key)?.value)).toEqual(['a', undefined, 'c'])
})
