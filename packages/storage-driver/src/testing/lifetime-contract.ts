import { expect, test } from 'vitest'
import { freshKey, record, type UseStore } from './store-under-test.ts'

const LONG_MS = 600_000

/** Waits on the store's clock, which decides about expiry. */
async function until(now: () => number, time: number): Promise<void> {
  while (now() <= time + 5) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** S18: entries that expire. A server with subscribers reads them when their time has come. */
export function lifetimeContract(use: UseStore): void {
  test('[S18] increments and patches keep the expiry; a set without lifetime removes it', async () => {
    const { store, other } = use()
    const key = freshKey()
    const { version } = await store.write({ op: 'set', key, value: 1, ttlMs: LONG_MS })
    const [entry] = await other.read([key])
    expect(entry).toEqual({ key, version, value: 1, expiresAt: expect.any(Number) })
    expect(Math.abs((entry?.expiresAt ?? 0) - store.now() - LONG_MS)).toBeLessThan(LONG_MS / 10)
    await other.write({ op: 'increment', key, by: 1 })
    expect(await store.read([key])).toMatchObject([{ value: 2, expiresAt: entry?.expiresAt }])
    await other.write({ op: 'patch', key, patch: { a: 1 } })
    expect(await store.read([key])).toMatchObject([{ value: { a: 1 }, expiresAt: entry?.expiresAt }])
    const { version: last } = await store.write({ op: 'set', key, value: 3 })
    expect(await other.read([key])).toEqual([{ key, version: last, value: 3 }])
  })

  test('[S18] a listing contains the expiry of each entry', async () => {
    const { store, other } = use()
    const prefix = `${freshKey('list')}:`
    await store.write({ op: 'set', key: `${prefix}a`, value: 1, ttlMs: LONG_MS })
    await store.write({ op: 'set', key: `${prefix}b`, value: 2 })
    const { entries } = await other.list(prefix)
    expect(entries.map(({ expiresAt }) => typeof expiresAt)).toEqual(['number', 'undefined'])
  })

  test('[S18] the expiry has its own version, announced once to all by the first reader', async () => {
    const { store, other } = use()
    const key = freshKey()
    const recorders = [await record(store, key), await record(other, key)]
    const { version } = await store.write({ op: 'set', key, value: 1, ttlMs: 30 })
    const [alive] = (await recorders[0]?.count(1)) ?? []
    await until(() => store.now(), alive?.expiresAt ?? 0)
    const reads = await Promise.all([store.read([key]), other.read([key]), store.read([key])])
    const [gone] = reads[0] ?? []
    expect(gone?.version).toBeGreaterThan(version)
    for (const read of reads) expect(read).toEqual([{ key, version: gone?.version, removed: true }])
    await store.write({ op: 'set', key, value: 2 })
    for (const recorder of recorders) {
      expect(
        (await recorder.count(3)).map(({ version: announced, removed, value }) => [announced === gone?.version, removed ?? value]),
      ).toEqual([
        [false, 1],
        [true, true],
        [false, 2],
      ])
      recorder.stop()
    }
  })

  test('[S18] a write after the expiry and before any read wins, without an announcement', async () => {
    const { store, other } = use()
    const key = freshKey()
    const announced = await record(other, key)
    await store.write({ op: 'set', key, value: 1, ttlMs: 30 })
    const [alive] = await announced.count(1)
    await until(() => store.now(), alive?.expiresAt ?? 0)
    const { version } = await store.write({ op: 'set', key, value: 2 })
    expect(await other.read([key])).toEqual([{ key, version, value: 2 }])
    expect((await announced.count(2)).map(({ removed, value }) => removed ?? value).at(-1)).toBe(2)
    announced.stop()
  })

  test('[S4] readChanged returns entries with another version, including expired ones', async () => {
    const { store, other } = use()
    const [same, changed, gone] = [freshKey(), freshKey(), freshKey()]
    const versions = new Map<string, number>()
    for (const key of [same, changed, gone]) versions.set(key, (await store.write({ op: 'set', key, value: 1 })).version)
    versions.set(freshKey(), 0)
    expect(await other.readChanged(versions)).toEqual([])
    const next = await store.write({ op: 'set', key: changed, value: 2 })
    const end = await store.write({ op: 'remove', key: gone })
    const found = await other.readChanged(versions)
    expect(found.toSorted((one, another) => one.version - another.version)).toEqual([
      { key: changed, version: next.version, value: 2 },
      { key: gone, version: end.version, removed: true },
    ])
    expect(await other.readChanged(new Map([[changed, next.version + 1]]))).toMatchObject([{ version: next.version }])
  })
}
