import { expect, test } from 'vitest'
import { freshAuthor, freshKey, record, type UseStore } from './store-under-test.ts'

/** S6 and the deadline of F2. */
export function conditionsContract(use: UseStore): void {
  test('[S6] a set or remove at the given version is applied', async () => {
    const { store, other } = use()
    const key = freshKey()
    const first = await store.write({ op: 'set', key, value: 1, ifVersion: 0 })
    const second = await other.write({ op: 'set', key, value: 2, ifVersion: first.version })
    const third = await store.write({ op: 'remove', key, ifVersion: second.version })
    const fourth = await other.write({ op: 'set', key, value: 4, ifVersion: third.version })
    await store.write({ op: 'remove', key, ifVersion: fourth.version })
    await store.write({ op: 'set', key, value: 5, ifVersion: 0 })
    expect(await store.read([key])).toMatchObject([{ value: 5 }])
  })

  test('[S6] at any other version a write is refused with CONFLICT and announces nothing', async () => {
    const { store, other } = use()
    const key = freshKey()
    const announced = await record(other, key)
    const { version } = await store.write({ op: 'set', key, value: 'kept' })
    const entry = { key, version, value: 'kept' }
    for (const ifVersion of [0, 1, version - 1, version + 1]) {
      await expect(store.write({ op: 'set', key, value: 'lost', ifVersion })).rejects.toMatchObject({ code: 'CONFLICT', entry })
      await expect(other.write({ op: 'remove', key, ifVersion })).rejects.toMatchObject({ code: 'CONFLICT', entry })
    }
    expect(await store.read([key])).toEqual([entry])
    await store.write({ op: 'remove', key })
    expect((await announced.count(2)).map((change) => change.removed ?? change.value)).toEqual(['kept', true])
    announced.stop()
  })

  test('[S6] of several writers with the same version exactly one wins', async () => {
    const { store, other } = use()
    const key = freshKey()
    const { version } = await store.write({ op: 'set', key, value: 0 })
    const writes = Array.from({ length: 20 }, (_, value) =>
      (value % 2 === 0 ? store : other).write({ op: 'set', key, value, ifVersion: version }),
    )
    const results = await Promise.allSettled(writes)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const winner = results.findIndex(({ status }) => status === 'fulfilled')
    expect(await store.read([key])).toMatchObject([{ value: winner }])
  })

  test('[S6] [S18] an invalid version or lifetime is refused, and nothing is stored', async () => {
    const { store } = use()
    const key = freshKey()
    for (const ifVersion of [-1, 0.5, Number.NaN]) {
      const refused = { code: 'INVALID_MESSAGE', message: expect.stringContaining('ifVersion') }
      await expect(store.write({ op: 'set', key, value: 1, ifVersion })).rejects.toMatchObject(refused)
      await expect(store.write({ op: 'remove', key, ifVersion })).rejects.toMatchObject(refused)
    }
    for (const ttlMs of [0, -1, 1.5, Number.NaN]) {
      const refused = { code: 'INVALID_MESSAGE', message: expect.stringContaining('ttlMs') }
      await expect(store.write({ op: 'set', key, value: 1, ttlMs })).rejects.toMatchObject(refused)
    }
    expect(await store.read([key])).toEqual([{ key, version: 0, removed: true }])
  })

  test('[F2] a write after its deadline is refused as retryable and never applied', async () => {
    const { store } = use()
    const key = freshKey()
    const deadline = Date.now() - 60_000
    const author = freshAuthor()
    const late = { code: 'UNAVAILABLE', retryable: true }
    await expect(store.write({ op: 'set', key, value: 1, author }, { deadline })).rejects.toMatchObject(late)
    await expect(store.write({ op: 'patch', key, patch: { a: 1 }, author }, { deadline })).rejects.toMatchObject(late)
    expect(await store.read([key])).toEqual([{ key, version: 0, removed: true }])
  })

  test('[F2] [S12] a late repetition finds its result; a late refusal is not remembered', async () => {
    const { store, other } = use()
    const key = freshKey()
    const deadline = Date.now() - 60_000
    const author = freshAuthor()
    const done = await store.write({ op: 'set', key, value: 1, author })
    expect(await other.write({ op: 'set', key, value: 1, author }, { deadline })).toEqual(done)
    const next = { op: 'set', key, value: 2, author: { ...author, number: 2 } } as const
    await expect(store.write(next, { deadline })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect((await store.write(next)).version).toBeGreaterThan(done.version)
  })
}
