import type { Entry, JsonValue } from '@tutti/protocol'
import { isAbsent, neverThere } from '@tutti/protocol/internal'
import { expect, test } from 'vitest'
import type { StateStore } from '../contract.ts'
import { freshKey, type UseStore } from './store-under-test.ts'

/** S1, S10, S18, S19: versions, absence, lifetime, keys. */
export function versionsContract(use: UseStore): void {
  test('[S1] the versions of a key strictly increase with every kind of change', async () => {
    const { store, other } = use()
    const key = freshKey()
    const versions = [
      (await store.write({ op: 'set', key, value: 1 })).version,
      (await other.write({ op: 'increment', key, by: 1 })).version,
      (await store.write({ op: 'patch', key, patch: { a: 1 } })).version,
      (await other.write({ op: 'remove', key })).version,
      (await store.write({ op: 'set', key, value: 1 })).version,
      (await other.touch(key)).version,
    ]
    expect(versions).toEqual(versions.toSorted((a, b) => a - b))
    expect(new Set(versions).size).toBe(versions.length)
    expect(await store.read([key])).toEqual([{ key, version: versions.at(-1), value: 1 }])
  })

  test('[S1] a version is a time in microseconds, or one more than the last', async () => {
    const { store } = use()
    const key = freshKey()
    const { version } = await store.write({ op: 'set', key, value: 1 })
    expect(Math.abs(version / 1000 - Date.now())).toBeLessThan(60_000)
  })

  test('[S10] an unwritten key is absent at version 0, a removed one at its removal’s', async () => {
    const { store, other } = use()
    const [never, removed] = [freshKey(), freshKey()]
    await store.write({ op: 'set', key: removed, value: 1 })
    const { version } = await store.write({ op: 'remove', key: removed })
    expect(await other.read([never, removed])).toEqual([neverThere(never), { key: removed, version, removed: true }])
  })

  test('[S10] null is a value, and every JSON value is returned unchanged', async () => {
    const { store, other } = use()
    const values: JsonValue[] = [
      null,
      false,
      0,
      -1.5,
      1e-7,
      '',
      'text',
      '"',
      '5',
      'true',
      'ü😀\u2028',
      [],
      [[]],
      {},
      { a: [], b: {}, c: null },
    ]
    values.push(JSON.parse('{"__proto__":{"a":1},"constructor":1}'))
    for (const value of values) {
      const key = freshKey()
      const { version } = await store.write({ op: 'set', key, value })
      expect(await other.read([key])).toEqual([{ key, version, value }])
    }
  })

  test('[S18] an entry with a lifetime is absent after it, at a newer version', async () => {
    const { store, other } = use()
    const key = freshKey()
    const { version } = await store.write({ op: 'set', key, value: 1, ttlMs: 30 })
    const entry = await untilAbsent(other, key)
    expect(entry.version).toBeGreaterThan(version)
  })

  test('[S18] a set without a lifetime removes the expiry; increment and patch keep it', async () => {
    const { store } = use()
    const lasting = freshKey()
    await store.write({ op: 'set', key: lasting, value: 1, ttlMs: 30 })
    await store.write({ op: 'set', key: lasting, value: 2 })
    // On a busy machine an entry may expire before it is changed: then the test repeats with a longer lifetime.
    for (let ttlMs = 100, isInTime = false; !isInTime; ttlMs *= 2) {
      const [counted, patched] = [freshKey(), freshKey()]
      await store.write({ op: 'set', key: counted, value: 1, ttlMs })
      const { value } = await store.write({ op: 'increment', key: counted, by: 1 })
      const { version } = await store.write({ op: 'set', key: patched, value: {}, ttlMs })
      const { base } = await store.write({ op: 'patch', key: patched, patch: { a: 1 } })
      isInTime = value === 2 && base === version
      if (isInTime) await Promise.all([untilAbsent(store, counted), untilAbsent(store, patched)])
    }
    expect(await store.read([lasting])).toMatchObject([{ value: 2 }])
  })

  test('[S19] an invalid key is refused everywhere, and nothing is stored', async () => {
    const { store, get } = use()
    for (const key of [
      '',
      ':',
      'a:',
      ':a',
      'a::b',
      'a/b',
      'a\\b',
      'q?1',
      'a*',
      'a$',
      'a{b}',
      'a:..:b',
      '.',
      'a\u0000',
      '\ud800',
      'k'.repeat(257),
    ]) {
      const refused = { code: 'INVALID_KEY' }
      await expect(store.read([key])).rejects.toMatchObject(refused)
      await expect(store.write({ op: 'set', key, value: 1 })).rejects.toMatchObject(refused)
      await expect(store.write({ op: 'patch', key, patch: {} })).rejects.toMatchObject(refused)
      await expect(store.touch(key)).rejects.toMatchObject(refused)
    }
    expect(await get('a:b')).toBe(null)
  })

  test('[S19] a key of the maximum length works, in bytes and in any script', async () => {
    const { store, other } = use()
    for (const key of ['k'.repeat(200), `ключ:${freshKey()}`, `emoji 😀:${freshKey()}`]) {
      const { version } = await store.write({ op: 'set', key, value: 1 })
      expect(await other.read([key])).toEqual([{ key, version, value: 1 }])
    }
  })
}

/** The entry once it is absent; otherwise the timeout of the test applies. */
async function untilAbsent(store: StateStore, key: string): Promise<Entry> {
  for (;;) {
    const [entry] = await store.read([key])
    if (entry !== undefined && isAbsent(entry)) return entry
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
