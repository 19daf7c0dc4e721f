import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Mutation, WriteGuard } from '../src/contract.ts'
import { freshAuthor, freshKey } from '../src/testing/store-under-test.ts'
import { redisStores, type RedisUnderTest } from './stores.ts'

let stores: RedisUnderTest
beforeAll(async () => {
  stores = await redisStores()
})
afterAll(() => stores.dispose())

const TOKEN = 1_795_314_490_817_000

/** A key with the record of a lock, and its guard. */
async function guarded(
  record: string | null,
  options: Partial<WriteGuard> = {},
): Promise<{ key: string; guard: WriteGuard; name: string }> {
  const key = freshKey()
  const name = `${key}$lock`
  if (record !== null) await stores.client.set(name, record)
  return { key, name, guard: { record: name, token: TOKEN, always: false, refusal: () => 'lost', ...options } }
}

const open = (token: number, owner = 'ann:1'): string => `${token} o ${owner} 0 lease connection request ann `
const left = (token: number, until: number): string => `${token} u ann:1 ${until} - - r ann `

test('[L2] only the token of a grant that has not ended is accepted', async () => {
  const { store } = stores
  const isWritten = async (record: string | null, options?: Partial<WriteGuard>): Promise<string> => {
    const { key, guard } = await guarded(record, options)
    return store.write({ op: 'set', key, value: 1 }, { guard }).then(
      () => 'ok',
      (error: { code: string }) => error.code,
    )
  }
  expect(await isWritten(open(TOKEN))).toBe('ok')
  // Its holder has no connection. Until the lock has ended, the grant counts.
  expect(await isWritten(left(TOKEN, Date.now() + 60_000))).toBe('ok')
  expect(await isWritten(left(TOKEN, 1))).toBe('ok')
  for (const record of [null, `${TOKEN} d`, open(TOKEN + 1), `${TOKEN + 1} d`, open(TOKEN - 1)])
    expect(await isWritten(record)).toBe('LOCK_LOST')
  // With a required lock.
  expect(await isWritten(open(TOKEN), { owner: 'ann:1' })).toBe('ok')
  expect(await isWritten(open(TOKEN), { owner: 'bob:1' })).toBe('LOCKED')
  const unbound = { token: 0, owner: 'bob:1' }
  for (const record of [null, `${TOKEN} d`, left(TOKEN, 1)]) {
    expect(await isWritten(record, unbound)).toBe('ok')
    expect(await isWritten(record, { ...unbound, always: true })).toBe('LOCKED')
  }
  for (const record of [open(TOKEN), left(TOKEN, Date.now() + 60_000)]) expect(await isWritten(record, unbound)).toBe('LOCKED')
})

test('[L2] [S12] a refusal is remembered, and so is a write before the lock ended', async () => {
  const { store } = stores
  const { key, name, guard } = await guarded(open(TOKEN))
  const author = freshAuthor()
  const write: Mutation = { op: 'set', key, value: 1, author }
  const result = await store.write(write, { guard })
  await stores.client.set(name, `${TOKEN} d`)
  expect(await store.write(write, { guard })).toEqual(result)
  const next: Mutation = { op: 'set', key, value: 2, author: { ...author, number: author.number + 1 } }
  await expect(store.write(next, { guard })).rejects.toMatchObject({ code: 'LOCK_LOST' })
  await stores.client.set(name, open(TOKEN))
  await expect(store.write(next, { guard })).rejects.toMatchObject({ code: 'LOCK_LOST' })
  expect(await store.read([key])).toMatchObject([{ value: 1 }])
})

test('[L2] patches with a guard are written one by one, each with its own lock', async () => {
  const { store } = stores
  const { key, guard } = await guarded(open(TOKEN))
  const patch = (name: string, token?: number): Promise<unknown> =>
    store.write(
      { op: 'patch', key, patch: { [name]: 1 }, author: freshAuthor() },
      { guard: token === undefined ? undefined : { ...guard, token } },
    )
  const results = await Promise.allSettled([
    patch('a'),
    patch('b', TOKEN),
    patch('c'),
    patch('d', TOKEN - 1),
    patch('e', TOKEN),
    patch('f'),
  ])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  expect(await store.read([key])).toMatchObject([{ value: { a: 1, b: 1, c: 1, e: 1, f: 1 } }])
})
