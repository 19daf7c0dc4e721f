import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { freshKey, type UseStore } from './store-under-test.ts'

/** S17: listings by prefix. */
export function listingContract(use: UseStore): void {
  test('[S17] a prefix lists only the keys below it, at any depth, in byte order', async () => {
    const { store, other } = use()
    const name = randomUUID()
    const keys = ['b', 'a', 'd:deep:er', '\uffee', '😀', 'a-b', 'Z'].map((end) => `${name}:${end}`)
    await Promise.all(keys.map((key) => store.write({ op: 'set', key, value: key })))
    for (const outside of [`${name}-x:a`, `${name};`]) await store.write({ op: 'set', key: outside, value: 0 })
    await store.write({ op: 'set', key: `${name}:gone`, value: 0 })
    await other.write({ op: 'remove', key: `${name}:gone` })
    const { entries, after } = await other.list(`${name}:`)
    expect(entries.map(({ key }) => key)).toEqual(keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
    expect(entries).toEqual(await store.read(entries.map(({ key }) => key)))
    expect(after).toBe(undefined)
  })

  test('[S17] a long listing is returned in pages', async () => {
    const { store } = use()
    const name = randomUUID()
    const keys = Array.from({ length: 1_001 }, (_, place) => `${name}:${String(place).padStart(5, '0')}`)
    await Promise.all(keys.map((key) => store.write({ op: 'set', key, value: 0 })))
    const first = await store.list(`${name}:`)
    expect(first.entries.map(({ key }) => key)).toEqual(keys.slice(0, 1_000))
    expect(first.after).toBe(keys[999])
    const second = await store.list(`${name}:`, first.after)
    expect(second.entries.map(({ key }) => key)).toEqual(keys.slice(1_000))
    expect(second.after).toBe(undefined)
  })

  test('[S17] entries of other programs are listed after reindex', async () => {
    const { store, put } = use()
    const name = randomUUID()
    await store.list(`${name}:`)
    await put(`${name}:foreign`, '1')
    await store.reindex()
    expect((await store.list(`${name}:`)).entries).toMatchObject([{ key: `${name}:foreign`, value: 1 }])
  })

  test('[S17] entries removed by other programs are not listed', async () => {
    const { store, put } = use()
    const name = randomUUID()
    for (const key of [`${name}:gone`, `${name}:here`]) await store.write({ op: 'set', key, value: 1 })
    await store.list(`${name}:`)
    await put(`${name}:gone`, null)
    expect((await store.list(`${name}:`)).entries.map(({ key }) => key)).toEqual([`${name}:here`])
  })

  test('[S17] an empty prefix lists everything', async () => {
    const { store } = use()
    // First in byte order, so on the first page.
    const key = freshKey('!')
    await store.write({ op: 'set', key, value: 1 })
    expect((await store.list('')).entries).toContainEqual({ key, version: expect.any(Number), value: 1 })
  })

  test('[S19] an invalid prefix is refused', async () => {
    const { store } = use()
    for (const prefix of ['a', ':', 'a*:', 'a$:', 'a::']) await expect(store.list(prefix)).rejects.toMatchObject({ code: 'INVALID_KEY' })
    await expect(store.list('a:', 'no/key')).rejects.toMatchObject({ code: 'INVALID_KEY' })
  })
}
