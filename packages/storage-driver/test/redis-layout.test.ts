import { createStorage } from 'unstorage'
import redisDriver from 'unstorage/drivers/redis'
import { beforeEach, describe, expect, test } from 'vitest'
import { reactiveRedisDriver, type ReactiveDriver, type ReactiveRedisDriverOptions } from '../src/index.ts'
import { freshAuthor, record } from '../src/testing/store-under-test.ts'
import { redisForAllTests } from './stores.ts'

const { made, pubsub, another } = await redisForAllTests()
let store: ReactiveDriver
let other: ReactiveDriver

beforeEach(() => {
  store = reactiveRedisDriver({ pubsub })
  other = reactiveRedisDriver({ pubsub: another })
})

const driver = (options: Omit<ReactiveRedisDriverOptions, 'pubsub'>) => reactiveRedisDriver({ pubsub, ...options })

describe('versions', () => {
  test('[S1] increase on a Redis that lost its data', async () => {
    const before = await store.write({ op: 'patch', key: 'a', patch: { a: 1 } })
    await made.client.flushall()
    const after = await store.write({ op: 'patch', key: 'a', patch: { b: 1 } })
    expect(after.version).toBeGreaterThan(before.version)
    expect(after.base).toBe(0)
    expect(await store.read(['a'])).toMatchObject([{ value: { b: 1 } }])
  })

  test("[S1] are the time of Redis' clock, also at the beginning of a second", async () => {
    const now = async (): Promise<number> => {
      const [seconds, microseconds] = await made.client.time()
      return Number(seconds) * 1_000_000 + Number(microseconds)
    }
    // Until one has been made in the first tenth of a second, whose microseconds Redis reports with fewer digits.
    for (let version = 100_000; version % 1_000_000 >= 100_000;) {
      const before = await now()
      ;({ version } = await store.write({ op: 'set', key: 'a', value: 1 }))
      expect(version).toBeGreaterThanOrEqual(before)
      expect(version).toBeLessThanOrEqual(await now())
    }
  })

  test("[S1] increase by one if Redis' clock is behind the last version", async () => {
    const { version } = await store.write({ op: 'set', key: 'a', value: 1 })
    const ahead = version + 3_600_000_000
    await made.client.set('{tutti:a}$', String(ahead))
    expect(await store.write({ op: 'set', key: 'a', value: 2 })).toEqual({ version: ahead + 1 })
    expect(await other.write({ op: 'remove', key: 'a' })).toEqual({ version: ahead + 2 })
    expect(await store.write({ op: 'set', key: 'a', value: 3 })).toEqual({ version: ahead + 3 })
  })

  test('[S1] are kept for tombstoneMs after a removal or an expiry', async () => {
    await driver({ tombstoneMs: 100_000 }).write({ op: 'remove', key: 'a' })
    expect(await made.client.pttl('{tutti:a}$')).toBeGreaterThan(50_000)
    expect(await made.client.pttl('{tutti:a}$')).toBeLessThanOrEqual(100_000)
    await driver({ tombstoneMs: 100_000 }).write({ op: 'set', key: 'b', value: 1, ttlMs: 200_000 })
    expect(await made.client.pttl('{tutti:b}$')).toBeGreaterThan(250_000)
    // Expiry is in whole milliseconds, so it may be rounded up.
    expect(await made.client.pttl('{tutti:b}$')).toBeLessThanOrEqual(300_001)
    await store.write({ op: 'set', key: 'b', value: 1 })
    expect(await made.client.pttl('{tutti:b}$')).toBe(-1)
  })

  test('[S12] memories last for mutationMemoryMs', async () => {
    await driver({ mutationMemoryMs: 100_000 }).write({ op: 'set', key: 'a', value: 1, author: { user: 'u:1', clientId: 'c', number: 1 } })
    expect(await made.client.pttl('{tutti:a}$m:u%3A1:c')).toBeGreaterThan(50_000)
    expect(await made.client.pttl('{tutti:a}$m:u%3A1:c')).toBeLessThanOrEqual(100_000)
  })
})

describe('other programs', () => {
  test("[S20] [S21] unstorage's own redis driver and ours read each other's values", async () => {
    const theirs = createStorage({ driver: redisDriver({ url: made.redis.url, base: 'tutti' }) })
    const ours = createStorage({ driver: store })
    const values = [{ a: [1, null] }, [], 'text', '', 5, true, null, 'with "quotes"']
    for (const [place, value] of values.entries()) {
      await theirs.setItem(`theirs:${place}`, value)
      expect(await ours.getItem(`theirs:${place}`)).toEqual(value)
      expect(await store.read([`theirs:${place}`])).toMatchObject([{ value }])
      await ours.setItem(`ours:${place}`, value)
      expect(await theirs.getItem(`ours:${place}`)).toEqual(value)
      await store.write({ op: 'set', key: `client:${place}`, value })
      expect(await theirs.getItem(`client:${place}`)).toEqual(value)
    }
    await theirs.setItemRaw('bytes', new Uint8Array([7]))
    expect(Buffer.from((await ours.getItemRaw<Uint8Array>('bytes')) ?? []).toJSON().data).toEqual([7])
    await store.reindex()
    expect((await ours.getKeys()).toSorted()).toEqual((await theirs.getKeys()).toSorted())
    await theirs.dispose()
  })

  test('[S20] another Redis type is refused with WRONG_TYPE and hides no entry', async () => {
    await made.client.hset('tutti:hash', 'field', 'kept')
    await made.client.zadd('tutti$index', 0, 'hash')
    const refused = { code: 'WRONG_TYPE' }
    const author = freshAuthor()
    await expect(store.read(['hash'])).rejects.toMatchObject(refused)
    await expect(store.getItem('hash')).rejects.toMatchObject(refused)
    await expect(store.touch('hash')).rejects.toMatchObject(refused)
    await expect(store.write({ op: 'set', key: 'hash', value: 1, author })).rejects.toMatchObject(refused)
    for (const op of ['remove', 'increment', 'patch'] as const) {
      await expect(store.write({ op, key: 'hash', by: 1, patch: { refused: true } })).rejects.toMatchObject(refused)
    }
    expect(await made.client.hget('tutti:hash', 'field')).toBe('kept')
    await store.write({ op: 'set', key: 'text', value: 1 })
    expect((await store.list('')).entries).toMatchObject([{ key: 'text' }])
    await made.client.del('tutti:hash')
    await store.write({ op: 'patch', key: 'hash', patch: { b: 1 } })
    expect(await store.read(['hash'])).toEqual([{ key: 'hash', version: expect.any(Number), value: { b: 1 } }])
    await expect(other.write({ op: 'set', key: 'hash', value: 1, author })).rejects.toMatchObject(refused)
  })

  test('[S18] [S20] a foreign lifetime is kept by increments and known after one read', async () => {
    await made.client.set('tutti:a', '5', 'PX', 100_000)
    await store.write({ op: 'increment', key: 'a', by: 1 })
    expect(await made.client.pttl('tutti:a')).toBeGreaterThan(50_000)
    await made.client.set('tutti:b', '5', 'PX', 100_000)
    await store.read(['b'])
    for (const key of ['a', 'b']) {
      const { ttl } = await createStorage({ driver: store }).getMeta(key)
      expect(ttl).toBeGreaterThan(50)
      expect(ttl).toBeLessThanOrEqual(100)
    }
    await made.client.set('tutti:c', '5')
    await store.read(['c'])
    expect(await createStorage({ driver: store }).getMeta('c')).not.toHaveProperty('ttl')
    expect(await made.client.pttl('{tutti:c}$')).toBe(-1)
  })

  test('[S17] reindex finds all keys below the base, even with glob characters in it', async () => {
    for (const key of ['tu?ti:a', 'tuXti:b', 'tutti:c', 'tu?ti:no$key']) await made.client.set(key, '1')
    // A base with glob characters is refused, so a base can never be a pattern of another.
    expect(() => driver({ base: 'tu?ti' })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
    const bracketed = driver({ base: 't[uv]' })
    await made.client.set('t[uv]:a', '1')
    await made.client.set('tu:b', '1')
    await bracketed.reindex()
    expect(await bracketed.getKeys('', {})).toEqual(['a'])
  })
})

describe('the index', () => {
  const named = () => made.client.zrange('tutti$index', 0, -1)

  test('[S17] names all keys beyond the page size, and nothing that is not a key', async () => {
    const keys = Array.from({ length: 2_500 }, (_, place) => `many:${String(place).padStart(4, '0')}`)
    await made.client.mset(Object.fromEntries([...keys, 'no$key'].map((key) => [`tutti:${key}`, '1'])))
    await store.reindex()
    expect(await named()).toEqual(keys)
    expect(await store.getKeys('', {})).toEqual(keys)
    expect(await store.getKeys('many:', {})).toEqual(keys)
    await driver({ base: 'empty' }).reindex()
    expect(await driver({ base: 'empty' }).getKeys('', {})).toEqual([])
  })

  test('[S17] contains created keys, without removed or expired ones', async () => {
    await store.write({ op: 'set', key: 'a', value: 1 })
    await store.write({ op: 'increment', key: 'b', by: 1 })
    await store.write({ op: 'patch', key: 'c', patch: {} })
    await made.client.set('tutti:d', 'foreign')
    await store.read(['d'])
    expect(await named()).toEqual(['a', 'b', 'c', 'd'])
    await store.write({ op: 'remove', key: 'a' })
    await made.client.del('tutti:b')
    await store.read(['b'])
    expect(await named()).toEqual(['c', 'd'])
  })

  test('[S17] a name without an entry is removed by a listing', async () => {
    await made.client.zadd('tutti$index', 0, 'never')
    await store.write({ op: 'set', key: 'a', value: 1 })
    expect(await store.getKeys('', {})).toEqual(['a'])
    expect((await store.list('')).entries).toMatchObject([{ key: 'a' }])
    expect(await named()).toEqual(['a'])
  })

  test('[S17] a prefix does not list the key of its own name', async () => {
    for (const key of ['a', 'a:b', 'a;', 'a-b']) await store.write({ op: 'set', key, value: 1 })
    expect((await store.list('a:')).entries.map(({ key }) => key)).toEqual(['a:b'])
  })
})

test('[S11] removed meta leaves nothing in Redis', async () => {
  const storage = createStorage({ driver: store })
  await storage.setMeta('a', { owner: 'me' })
  expect(await made.client.keys('*meta')).toHaveLength(1)
  await storage.removeMeta('a')
  expect(await made.client.keys('*meta')).toEqual([])
})

describe('the base', () => {
  test('[X3] is never empty and not a pattern', () => {
    for (const base of ['', ':', 'a:', 'a*', 'a$', '{}', '{a', 'a}', '{a}{b}', 'a b/']) {
      expect(() => driver({ base }), base).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
    }
  })

  test('[X3] begins every key; internal names have a $ and the slot of their value', async () => {
    for (const base of ['plain', 'with:colon', '{tag}', 'app:{tag}:v1']) {
      await made.client.flushall()
      const tagged = driver({ base })
      await tagged.write({ op: 'set', key: 'a:b', value: 1, author: freshAuthor() })
      await createStorage({ driver: tagged }).setMeta('a:b', { meta: 1 })
      const keys = (await made.client.keys('*')).filter((key) => key !== `${base}$index`)
      expect(keys).toHaveLength(4)
      expect(keys.filter((key) => !key.includes('$'))).toEqual([`${base}:a:b`])
      const slotted = base.includes('{') ? '{tag}' : `{${base}:a:b}`
      for (const key of keys) expect(key === `${base}:a:b` || key.includes(slotted), key).toBe(true)
    }
  })

  test('[X3] separates stores: they share neither changes nor listings', async () => {
    const [one, two] = [driver({ base: 'one' }), driver({ base: '{two}' })]
    const [toldOne, toldTwo] = [await record(one, 'a'), await record(two, 'a')]
    await one.write({ op: 'set', key: 'a', value: 1 })
    await two.write({ op: 'set', key: 'a', value: 2 })
    await one.write({ op: 'set', key: 'a', value: 3 })
    expect((await toldOne.count(2)).map(({ value }) => value)).toEqual([1, 3])
    expect((await toldTwo.count(1)).map(({ value }) => value)).toEqual([2])
    expect((await two.list('')).entries).toMatchObject([{ value: 2 }])
    toldOne.stop()
    toldTwo.stop()
  })
})
