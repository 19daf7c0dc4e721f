import { expect, test } from 'vitest'
import type { Mutation, MutationAuthor } from '../contract.ts'
import { freshAuthor, freshKey, record, type UseStore } from './store-under-test.ts'

/** S12: a mutation with a number takes effect once. */
export function mutationsContract(use: UseStore): void {
  const each = (key: string, author: MutationAuthor): Mutation[] => [
    { op: 'set', key, value: 'once', author },
    { op: 'remove', key, author },
    { op: 'increment', key, by: 2, author },
    { op: 'patch', key, patch: { once: true }, author },
  ]

  test('[S12] a repeated mutation takes effect once, on any instance, with its result', async () => {
    const { store, other } = use()
    for (const place of [0, 1, 2, 3]) {
      const key = freshKey()
      const mutation = each(key, freshAuthor())[place]
      if (mutation === undefined) throw new Error('There are four kinds.')
      const announced = await record(other, key)
      const first = await store.write(mutation)
      expect(await other.write(mutation)).toEqual(first)
      const between = await other.write({ op: 'set', key, value: 'another' })
      expect(await store.write(mutation)).toEqual(first)
      expect(await store.read([key])).toEqual([{ key, version: between.version, value: 'another' }])
      expect((await announced.count(2)).map(({ version }) => version)).toEqual([first.version, between.version])
      announced.stop()
    }
  })

  test('[S12] a number used by another kind of change is refused', async () => {
    const { store, other } = use()
    for (const op of ['set', 'increment', 'patch'] as const) {
      const key = freshKey()
      const author = freshAuthor()
      const mutations = each(key, author)
      const used = mutations.find((mutation) => mutation.op === op)
      if (used === undefined) throw new Error('There are four kinds.')
      await store.write(used)
      const others = mutations.filter((mutation) => (mutation.op === 'increment' || mutation.op === 'patch') !== (op !== 'set'))
      for (const mutation of others) await expect(other.write(mutation), mutation.op).rejects.toMatchObject({ code: 'STALE_MUTATION' })
      expect(others).toHaveLength(2)
    }
  })

  test('[S12] a mutation sent twice at once takes effect once', async () => {
    const { store, other } = use()
    const key = freshKey()
    const increments = Array.from({ length: 10 }, () => freshAuthor()).flatMap((author) =>
      [store, other, store].map((instance) => instance.write({ op: 'increment', key, by: 1, author })),
    )
    await Promise.all(increments)
    expect(await store.read([key])).toMatchObject([{ value: 10 }])

    const patched = freshKey()
    const author = freshAuthor()
    const results = await Promise.all(
      [store, other, store].map((instance) => instance.write({ op: 'patch', key: patched, patch: { a: 1 }, author })),
    )
    expect(new Set(results.map(({ version, base }) => `${version} ${base}`)).size).toBe(1)
    expect(await store.read([patched])).toMatchObject([{ version: results[0]?.version }])
  })

  test('[S12] a final refusal is remembered, even if its reason is gone', async () => {
    const { store, other } = use()
    const key = freshKey()
    const author = freshAuthor()
    const { version } = await store.write({ op: 'set', key, value: 'text' })
    const conflict = { op: 'set', key, value: 1, ifVersion: version + 1, author } as const
    await expect(store.write(conflict)).rejects.toMatchObject({ code: 'CONFLICT' })
    await other.write({ op: 'remove', key })
    await expect(other.write({ ...conflict, ifVersion: 0 })).rejects.toMatchObject({ code: 'CONFLICT', entry: { key, removed: true } })

    await store.write({ op: 'set', key, value: 'text' })
    const increment = { op: 'increment', key, by: 1, author: { ...author, number: 2 } } as const
    await expect(other.write(increment)).rejects.toMatchObject({ code: 'NOT_A_NUMBER' })
    await store.write({ op: 'set', key, value: 5 })
    await expect(store.write(increment)).rejects.toMatchObject({ code: 'NOT_A_NUMBER' })
    expect(await store.read([key])).toMatchObject([{ value: 5 }])
  })

  test('[S12] a lower number than the last of its author is refused with STALE_MUTATION', async () => {
    const { store, other } = use()
    for (const place of [0, 1, 2, 3]) {
      const key = freshKey()
      const author = freshAuthor(7)
      const { version } = await store.write({ op: 'set', key, value: { kept: true }, author })
      const mutation = each(key, { ...author, number: 6 })[place]
      if (mutation === undefined) throw new Error('There are four kinds.')
      await expect(other.write(mutation)).rejects.toMatchObject({ code: 'STALE_MUTATION' })
      expect(await store.read([key])).toEqual([{ key, version, value: { kept: true } }])
    }
  })

  test('[S12] numbers belong to one user, one client and one key', async () => {
    const { store } = use()
    const key = freshKey()
    const [user, clientId] = ['a:b', 'c']
    const authors = [
      ...[
        { user, clientId },
        { user: 'a', clientId: 'b:c' },
        { user: '', clientId },
        { user: 'A:B', clientId },
        { user: '$', clientId: '}' },
      ],
      ...[
        { user: 'a:b', clientId: '__proto__' },
        { user: 'ü 😀', clientId: '%' },
        { user: 'a%3Ab', clientId },
      ],
    ]
    for (const author of authors) await store.write({ op: 'increment', key, by: 1, author: { ...author, number: 1 } })
    expect(await store.read([key])).toMatchObject([{ value: authors.length }])
    const elsewhere = freshKey()
    await store.write({ op: 'increment', key: elsewhere, by: 1, author: { user, clientId, number: 1 } })
    expect(await store.read([elsewhere])).toMatchObject([{ value: 1 }])
  })

  test('[S12] a mutation without a number takes effect each time it is sent', async () => {
    const { store } = use()
    const key = freshKey()
    for (const value of [1, 2]) expect(await store.write({ op: 'increment', key, by: 1 })).toMatchObject({ value })
  })

  test('[S12] an invalid author is refused', async () => {
    const { store } = use()
    const wrong = [{ number: 0 }, { number: 1.5 }, { number: Number.NaN }, { clientId: '' }, { clientId: '\ud800' }, { user: '\udc00' }]
    for (const part of wrong) {
      const author = { ...freshAuthor(), ...part }
      await expect(store.write({ op: 'set', key: freshKey(), value: 1, author })).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
    }
  })

  test('[X4] a value that JSON cannot represent is refused', async () => {
    const { store } = use()
    const wrong: unknown[] = [undefined, Number.NaN, () => 1, 1n, new Date(), new Map(), { a: undefined }, [Symbol('s')]]
    for (const value of wrong) {
      const mutation = { op: 'set', key: freshKey(), value } as Mutation
      await expect(store.write(mutation)).rejects.toMatchObject({ code: 'INVALID_VALUE' })
    }
  })
}
