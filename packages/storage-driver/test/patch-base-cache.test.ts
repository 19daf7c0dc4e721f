import { expect, test } from 'vitest'
import { createPatchBaseCache, type PatchBaseCache } from '../src/redis/patch-base-cache.ts'
import { createPatchableValue } from '../src/redis/patchable-value.ts'

const cachedEntry = (cache: PatchBaseCache, key: string) => {
  const entry = cache.get(key)
  return entry && { version: entry.version, json: entry.value?.toJson() }
}
const text = (length: number) => createPatchableValue('x'.repeat(length - 2))

test('[S8] a cached entry follows the changes of its key, in version order', () => {
  const recent = createPatchBaseCache()
  recent.follow({ key: 'a', version: 1, value: 'never asked for' })
  expect(recent.get('a')).toBe(undefined)
  recent.set('a', { version: 5, value: createPatchableValue({ a: 1 }) })
  recent.follow({ key: 'a', version: 4, value: 'older' })
  recent.follow({ key: 'a', version: 5, removed: true })
  expect(cachedEntry(recent, 'a')).toEqual({ version: 5, json: '{"a":1}' })
  recent.follow({ key: 'a', version: 6, base: 5, patch: { b: 2 } })
  expect(cachedEntry(recent, 'a')).toEqual({ version: 6, json: '{"a":1,"b":2}' })
  recent.follow({ key: 'a', version: 7, removed: true })
  expect(cachedEntry(recent, 'a')).toEqual({ version: 7, json: undefined })
  recent.follow({ key: 'a', version: 8, value: null })
  expect(cachedEntry(recent, 'a')).toEqual({ version: 8, json: 'null' })
})

test('[S8] an entry that cannot be followed is dropped', () => {
  const recent = createPatchBaseCache()
  recent.set('large', { version: 1, value: createPatchableValue(1) })
  recent.follow({ key: 'large', version: 2 })
  expect(recent.get('large')).toBe(undefined)
  recent.set('missed', { version: 1, value: createPatchableValue({}) })
  recent.follow({ key: 'missed', version: 3, base: 2, patch: { a: 1 } })
  expect(recent.get('missed')).toBe(undefined)
})

test('[S8] the least recently set entries are dropped first above the size limit', () => {
  const recent = createPatchBaseCache(5_000)
  for (const key of ['a', 'b', 'a', 'c']) recent.set(key, { version: 1, value: text(2_000) })
  expect(['a', 'b', 'c'].map((key) => recent.get(key)?.version)).toEqual([1, undefined, 1])
  recent.set('too large', { version: 1, value: text(6_000) })
  expect(['a', 'c', 'too large'].map((key) => recent.get(key))).toEqual([undefined, undefined, undefined])
})

test('[S8] an entry that grows by patches counts as large as it becomes', () => {
  const recent = createPatchBaseCache(5_000)
  recent.set('a', { version: 1, value: createPatchableValue({}) })
  for (let version = 2; version < 10; version += 1)
    recent.follow({ key: 'a', version, base: version - 1, patch: { [version]: 'x'.repeat(500) } })
  expect(recent.get('a')?.version).toBe(9)
  for (let version = 10; version < 20; version += 1)
    recent.follow({ key: 'a', version, base: version - 1, patch: { [version]: 'x'.repeat(500) } })
  expect(recent.get('a')).toBe(undefined)
})
