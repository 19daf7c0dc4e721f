import { expect, test } from 'vitest'
import { freshKey, record, type UseStore } from './store-under-test.ts'

/** S20: values stored by other programs. */
export function foreignContract(use: UseStore): void {
  test('[S20] text that is JSON is that value, other text the string itself', async () => {
    const { store, put } = use()
    const texts: [string, unknown][] = [
      ...([
        ['{"a":[]}', { a: [] }],
        ['[1]', [1]],
        ['5', 5],
        ['"5"', '5'],
        ['null', null],
        ['true', true],
      ] satisfies [string, unknown][]),
      ...([
        ['hello', 'hello'],
        ['', ''],
        ['{"a":', '{"a":'],
        ['undefined', 'undefined'],
        ['1e999', '1e999'],
      ] satisfies [string, unknown][]),
    ]
    for (const [text, value] of texts) {
      const key = freshKey()
      await put(key, text)
      expect(await store.read([key])).toMatchObject([{ key, value }])
    }
  })

  test('[S20] a foreign value receives its version at the first read and keeps it', async () => {
    const { store, other, put } = use()
    const key = freshKey()
    await put(key, 'foreign')
    const [entry] = await store.read([key])
    expect(entry?.version).toBeGreaterThan(0)
    expect(await other.read([key])).toEqual([entry])
    const { version } = await other.write({ op: 'set', key, value: 'ours', ifVersion: entry?.version ?? 0 })
    expect(version).toBeGreaterThan(entry?.version ?? Infinity)
  })

  test('[S6] [S20] a foreign value is not an absent key, even if unread', async () => {
    const { store, put } = use()
    const key = freshKey()
    await put(key, '1')
    const refused = store.write({ op: 'set', key, value: 2, ifVersion: 0 })
    await expect(refused).rejects.toMatchObject({ code: 'CONFLICT', entry: { key, value: 1 } })
    expect(await store.read([key])).toMatchObject([{ value: 1 }])
  })

  test('[S20] touch announces a foreign write over an entry with a new version', async () => {
    const { store, other, put } = use()
    const key = freshKey()
    const announced = await record(other, key)
    const { version } = await store.write({ op: 'set', key, value: 'ours' })
    await put(key, 'theirs')
    expect(await store.read([key])).toEqual([{ key, version, value: 'theirs' }])
    const touched = await store.touch(key)
    expect(touched.version).toBeGreaterThan(version)
    expect(await announced.count(2)).toMatchObject([{ version }, { key, version: touched.version }])
    expect(await other.read([key])).toEqual([{ key, version: touched.version, value: 'theirs' }])
    announced.stop()
  })

  test('[S1] [S20] foreign removals and new foreign values have newer versions', async () => {
    const { store, other, put } = use()
    const key = freshKey()
    const first = await store.write({ op: 'set', key, value: 1 })
    await put(key, null)
    const [gone] = await store.read([key])
    expect(gone).toMatchObject({ removed: true })
    expect(gone?.version).toBeGreaterThan(first.version)
    await put(key, '2')
    const [back] = await other.read([key])
    expect(back).toMatchObject({ value: 2 })
    expect(back?.version).toBeGreaterThan(gone?.version ?? Infinity)
  })

  test('[S20] values of clients are stored as JSON', async () => {
    const { store, get } = use()
    const key = freshKey()
    await store.write({ op: 'set', key, value: 'text' })
    expect(await get(key)).toBe('"text"')
    await store.write({ op: 'set', key, value: { a: [1, null] } })
    expect(await get(key)).toBe('{"a":[1,null]}')
    await store.write({ op: 'remove', key })
    expect(await get(key)).toBe(null)
  })
}
