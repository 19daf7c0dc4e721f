import { expect, test } from 'vitest'
import type { StateChange } from '../contract.ts'
import { freshKey, record, type UseStore } from './store-under-test.ts'

/** S4, S5, S10: the changes delivered to listeners. */
export function changesContract(use: UseStore): void {
  test('[S10] every change is delivered once to every instance, including the writer', async () => {
    const { store, other } = use()
    const key = freshKey()
    const recorders = [await record(store, key), await record(other, key)]
    const set = await store.write({ op: 'set', key, value: null, writer: 'connection "1"' })
    const increment = await other.write({ op: 'increment', key: freshKey(), by: 1 })
    const patch = await other.write({ op: 'patch', key, patch: {}, writer: 'b' })
    const remove = await store.write({ op: 'remove', key, writer: 'c' })
    const expected: StateChange[] = [
      { key, version: set.version, value: null, writer: 'connection "1"' },
      { key, version: patch.version, value: {}, writer: 'b' },
      { key, version: remove.version, removed: true, writer: 'c' },
    ]
    for (const recorder of recorders) {
      expect(await recorder.count(3)).toEqual(expected)
      recorder.stop()
    }
    expect(increment.value).toBe(1)
  })

  test('[S4] after 200 rounds of concurrent writers every listener has the stored entry', async () => {
    const { store, other } = use()
    const key = freshKey()
    const recorders = [await record(store, key), await record(other, key)]
    const rounds = 200
    for (let round = 0; round < rounds; round++) {
      await Promise.all([store.write({ op: 'set', key, value: `a${round}` }), other.write({ op: 'set', key, value: `b${round}` })])
    }
    const [entry] = await store.read([key])
    for (const recorder of recorders) {
      const changes = await recorder.count(rounds * 2)
      const versions = changes.map(({ version }) => version)
      expect(versions).toEqual(versions.toSorted((a, b) => a - b))
      expect(new Set(versions).size).toBe(rounds * 2)
      const { version, value } = changes.at(-1) ?? {}
      expect({ key, version, value }).toEqual(entry)
      recorder.stop()
    }
  })

  test('[S5] a value larger than inlineValueMaxBytes, in UTF-8, is announced without it', async () => {
    const { store, other } = use()
    const key = freshKey()
    const announced = await record(other, key)
    // The quotes are part of the JSON, and each of these letters takes two bytes.
    const [small, large] = ['ä'.repeat(4095), 'ä'.repeat(4096)]
    await store.write({ op: 'set', key, value: small })
    await store.write({ op: 'set', key, value: large })
    await store.write({ op: 'set', key, value: { large } })
    await store.write({ op: 'patch', key, patch: { a: 1 } })
    await store.write({ op: 'patch', key, patch: { large: large.toUpperCase() } })
    const changes = await announced.count(5)
    expect(
      changes.map((change) =>
        Object.keys(change)
          .filter((name) => name !== 'base')
          .at(-1),
      ),
    ).toEqual([...['value', 'version', 'version', 'patch', 'version']])
    expect(await other.read([key])).toMatchObject([{ value: { large: large.toUpperCase(), a: 1 } }])
    announced.stop()
  })

  test('[S10] a value with a lifetime is delivered with its expiry', async () => {
    const { store, other } = use()
    const key = freshKey()
    const announced = await record(other, key)
    await store.write({ op: 'set', key, value: 1, ttlMs: 60_000 })
    await store.write({ op: 'increment', key, by: 1 })
    await store.write({ op: 'set', key, value: 3 })
    const [set, increment, lasting] = await announced.count(3)
    expect(Math.abs((set?.expiresAt ?? 0) - Date.now() - 60_000)).toBeLessThan(30_000)
    expect(increment?.expiresAt).toBe(set?.expiresAt)
    expect(lasting).not.toHaveProperty('expiresAt')
    announced.stop()
  })

  test('[S11] a listener that throws stops no other; a removed one receives nothing', async () => {
    const { store } = use()
    const key = freshKey()
    const throwing = store.onChange(() => {
      throw new Error('The listener is broken.')
    })
    await expect(throwing.ready).resolves.toBe(undefined)
    const stopped = await record(store, key)
    const announced = await record(store, key)
    stopped.stop()
    await store.write({ op: 'set', key, value: 1 })
    expect(await announced.count(1)).toHaveLength(1)
    expect(stopped.changes).toEqual([])
    throwing()
    announced.stop()
  })
}
