import { RealtimeError } from '@tutti/protocol'
import { RealtimePubSub } from '@tutti/pubsub'
import type { RedisLink } from '@tutti/pubsub/redis'
import { eventually } from '@tutti/test-kit'
import { createStorage } from 'unstorage'
import redisDriver from 'unstorage/drivers/redis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { reactiveRedisDriver, type ReactiveDriver, type ReactiveRedisDriverOptions } from '../src/index.ts'
import { freshAuthor, record } from '../src/testing/store-under-test.ts'
import { monitor } from './monitor.ts'
import { redisStores } from './stores.ts'

let made: Awaited<ReturnType<typeof redisStores>>
let pubsub: RealtimePubSub
let another: RealtimePubSub
let store: ReactiveDriver
let other: ReactiveDriver

beforeAll(async () => {
  made = await redisStores()
  const [first, second] = made.pubsubs
  if (first === undefined || second === undefined) throw new Error('There are two.')
  ;[pubsub, another] = [first, second]
})
afterAll(() => made.dispose())
beforeEach(async () => {
  await made.client.flushall()
  store = reactiveRedisDriver({ pubsub })
  other = reactiveRedisDriver({ pubsub: another })
})

const driver = (options: Omit<ReactiveRedisDriverOptions, 'pubsub'>) => reactiveRedisDriver({ pubsub, ...options })

describe('one write', () => {
  test('[S5] is one EVALSHA, and nothing else happens on either instance', async () => {
    const told = await record(other, 'a')
    const commands = await monitor(made.redis, async () => {
      for (let value = 0; value < 50; value++)
        await store.write({ op: 'set', key: 'a', value, author: { user: 'u', clientId: 'c', number: value + 1 } })
      await told.count(50)
    })
    expect(commands.filter((name) => name === 'evalsha')).toHaveLength(50)
    expect(commands.filter((name) => name === 'eval').length).toBeLessThanOrEqual(1)
    expect(commands.filter((name) => name !== 'evalsha' && name !== 'eval')).toEqual([])
    told.stop()
  })

  test('[S5] is one EVALSHA for a patch of what this instance wrote or followed last, two where it must learn the base', async () => {
    const stops = [store, other].map((one) => one.onChange(() => {}))
    await Promise.all(stops.map(({ ready }) => ready))
    const told = await record(other, 'a')
    const patches = (one: ReactiveDriver) =>
      monitor(made.redis, async () => void (await one.write({ op: 'patch', key: 'a', patch: { a: 1 } })))
    expect(await patches(store)).toHaveLength(1)
    expect(await patches(store)).toHaveLength(1)
    expect(await patches(other)).toHaveLength(2)
    await told.count(3)
    await store.write({ op: 'patch', key: 'a', patch: { b: 1 } })
    await told.count(4)
    expect(await patches(other)).toHaveLength(1)
    for (const stop of [...stops, told.stop]) stop()
  })

  test('[S8] takes all patches of a key that wait, each author remembered', async () => {
    const authors = Array.from({ length: 20 }, () => freshAuthor())
    const write = (one: ReactiveDriver) =>
      Promise.all(authors.map((author, place) => one.write({ op: 'patch', key: 'a', patch: { [`p${place}`]: place }, author })))
    let results: Awaited<ReturnType<typeof write>> = []
    const commands = await monitor(made.redis, async () => void (results = await write(store)))
    expect(commands).toEqual(['evalsha', 'evalsha'])
    expect(new Set(results.map(({ version }) => version)).size).toBe(2)
    expect(await write(other)).toEqual(results)
    expect(await store.read(['a'])).toMatchObject([{ value: Object.fromEntries(authors.map((_, place) => [`p${place}`, place])) }])
  })

  test('[S8] [S12] answers from memory those of the waiting patches that were handled, and writes the others', async () => {
    const [handled, stale] = [freshAuthor(), freshAuthor()]
    const first = await other.write({ op: 'patch', key: 'a', patch: { a: 1 }, author: handled })
    await other.write({ op: 'patch', key: 'a', patch: { b: 1 }, author: { ...stale, number: 5 } })
    const writes = [freshAuthor(), handled, freshAuthor(), stale, freshAuthor()].map((author, place) =>
      store.write({ op: 'patch', key: 'a', patch: { [`p${place}`]: place }, author }),
    )
    const [, repeated, , refused, last] = await Promise.allSettled(writes)
    expect(repeated).toEqual({ status: 'fulfilled', value: first })
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'STALE_MUTATION' } })
    expect(last?.status).toBe('fulfilled')
    expect(await store.read(['a'])).toMatchObject([{ value: { a: 1, b: 1, p0: 0, p2: 2, p4: 4 } }])
  })

  test('[F2] of waiting patches refuses those past their deadline, and writes the others', async () => {
    const writes = [0, 1, 2, 3].map((place) =>
      store.write({ op: 'patch', key: 'a', patch: { [`p${place}`]: place } }, place === 2 ? { deadline: Date.now() - 60_000 } : {}),
    )
    const results = await Promise.allSettled(writes)
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(await store.read(['a'])).toMatchObject([{ value: { p0: 0, p1: 1, p3: 3 } }])
  })

  test('[S5] works on after Redis forgot the scripts', async () => {
    await made.client.script('FLUSH')
    const writes = Array.from({ length: 10 }, () => store.write({ op: 'increment', key: 'a', by: 1 }))
    await Promise.all(writes)
    expect(await other.read(['a'])).toMatchObject([{ value: 10 }])
  })

  test('[S7] 2 x 100 concurrent increments make exactly 200, 20 times of 20', async () => {
    for (let round = 0; round < 20; round++) {
      const key = `count:${round}`
      await Promise.all(Array.from({ length: 200 }, (_, place) => (place % 2 === 0 ? store : other).write({ op: 'increment', key, by: 1 })))
      expect(await store.read([key])).toMatchObject([{ value: 200 }])
    }
  })
})

describe('versions', () => {
  test('[S1] grow past a Redis that lost its data', async () => {
    const before = await store.write({ op: 'patch', key: 'a', patch: { a: 1 } })
    await made.client.flushall()
    const after = await store.write({ op: 'patch', key: 'a', patch: { b: 1 } })
    expect(after.version).toBeGreaterThan(before.version)
    expect(after.base).toBe(0)
    expect(await store.read(['a'])).toMatchObject([{ value: { b: 1 } }])
  })

  test("[S1] grow by one where Redis' clock is behind the last", async () => {
    const { version } = await store.write({ op: 'set', key: 'a', value: 1 })
    const ahead = version + 3_600_000_000
    await made.client.set('{tutti:a}$', String(ahead))
    expect(await store.write({ op: 'set', key: 'a', value: 2 })).toEqual({ version: ahead + 1 })
    expect(await other.write({ op: 'remove', key: 'a' })).toEqual({ version: ahead + 2 })
    expect(await store.write({ op: 'set', key: 'a', value: 3 })).toEqual({ version: ahead + 3 })
  })

  test('[S1] of a removed key are kept for tombstoneMs, of an expiring one for tombstoneMs after its end', async () => {
    await driver({ tombstoneMs: 100_000 }).write({ op: 'remove', key: 'a' })
    expect(await made.client.pttl('{tutti:a}$')).toBeGreaterThan(50_000)
    expect(await made.client.pttl('{tutti:a}$')).toBeLessThanOrEqual(100_000)
    await driver({ tombstoneMs: 100_000 }).write({ op: 'set', key: 'b', value: 1, ttlMs: 200_000 })
    expect(await made.client.pttl('{tutti:b}$')).toBeGreaterThan(250_000)
    expect(await made.client.pttl('{tutti:b}$')).toBeLessThanOrEqual(300_000)
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
  test("[S20] [S21] unstorage's own redis driver reads ours, and we read its", async () => {
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

  test('[S20] what is no string is refused with WRONG_TYPE, left as it is, and hides nothing else', async () => {
    await made.client.hset('tutti:hash', 'field', 'kept')
    await made.client.zadd('tutti$index', 0, 'hash')
    const refused = { code: 'WRONG_TYPE' }
    const author = freshAuthor()
    await expect(store.read(['hash'])).rejects.toMatchObject(refused)
    await expect(store.getItem('hash')).rejects.toMatchObject(refused)
    await expect(store.touch('hash')).rejects.toMatchObject(refused)
    await expect(store.write({ op: 'set', key: 'hash', value: 1, author })).rejects.toMatchObject(refused)
    for (const op of ['remove', 'increment', 'patch'] as const) {
      await expect(store.write({ op, key: 'hash', by: 1, patch: {} })).rejects.toMatchObject(refused)
    }
    expect(await made.client.hget('tutti:hash', 'field')).toBe('kept')
    await store.write({ op: 'set', key: 'text', value: 1 })
    expect((await store.list('')).entries).toMatchObject([{ key: 'text' }])
    await made.client.del('tutti:hash')
    await expect(other.write({ op: 'set', key: 'hash', value: 1, author })).rejects.toMatchObject(refused)
  })

  test('[S18] [S20] a foreign lifetime is kept by increments and known after the first read', async () => {
    await made.client.set('tutti:a', '5', 'PX', 100_000)
    await store.write({ op: 'increment', key: 'a', by: 1 })
    expect(await made.client.pttl('tutti:a')).toBeGreaterThan(50_000)
    await made.client.set('tutti:b', '5', 'PX', 100_000)
    await store.read(['b'])
    expect((await createStorage({ driver: store }).getMeta('b'))['ttl']).toBeGreaterThan(50)
  })

  test('[S17] reindex names all that is below the base, however its glob characters', async () => {
    for (const key of ['tu?ti:a', 'tuXti:b', 'tutti:c', 'tu?ti:no$key']) await made.client.set(key, '1')
    // A base with glob characters can't be given; one that is the pattern of another can't be made either.
    expect(() => driver({ base: 'tu?ti' })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
    const bracketed = driver({ base: 't[uv]' })
    await made.client.set('t[uv]:a', '1')
    await made.client.set('tu:b', '1')
    await bracketed.reindex()
    expect(await bracketed.getKeys('', {})).toEqual(['a'])
  })
})

describe('the base', () => {
  test('[X3] is never empty and no pattern', () => {
    for (const base of ['', ':', 'a:', 'a*', 'a$', '{}', '{a', 'a}', '{a}{b}', 'a b/']) {
      expect(() => driver({ base }), base).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
    }
  })

  test('[X3] stands before every key; everything internal has a $ and the slot of its value', async () => {
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

  test("[X3] separates stores: neither hears of or lists the other's keys", async () => {
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

describe('notifications', () => {
  test('[N8] travel on <prefix>:watch with their fields in one order', async () => {
    const messages: string[] = []
    const listener = made.client.duplicate()
    await listener.subscribe('tutti:watch')
    listener.on('message', (_channel, text) => void messages.push(text))
    const { version } = await store.write({ op: 'set', key: 'a', value: { n: 'ü"\\' }, writer: 'w"1' })
    const { version: timed } = await other.write({ op: 'set', key: 'a', value: { n: 1, text: 'long enough' }, ttlMs: 60_000 })
    const { version: patched } = await store.write({ op: 'patch', key: 'a', patch: { n: 2 } })
    const { version: removed } = await store.write({ op: 'remove', key: 'a' })
    await eventually(() => expect(messages).toHaveLength(4))
    const expiresAt: unknown = JSON.parse(messages[1] ?? '')['expiresAt']
    const origin = `"origin":"${pubsub.instanceId}"`
    expect(messages).toEqual([
      `{${origin},"event":"update","key":"a","writer":"w\\"1","version":${version},"value":{"n":"ü\\"\\\\"}}`,
      `{"origin":"${another.instanceId}","event":"update","key":"a","version":${timed},"expiresAt":${String(expiresAt)},"value":{"n":1,"text":"long enough"}}`,
      `{${origin},"event":"update","key":"a","version":${patched},"expiresAt":${String(expiresAt)},"base":${timed},"patch":{"n":2}}`,
      `{${origin},"event":"remove","key":"a","version":${removed}}`,
    ])
    listener.disconnect()
  })

  test('[S5] are subscribed to only while somebody listens', async () => {
    const subscribers = async () => (await made.client.pubsub('NUMSUB', 'tutti:watch'))[1]
    const stops = [store.onChange(() => {}), store.onChange(() => {})]
    await Promise.all(stops.map(({ ready }) => ready))
    expect(await subscribers()).toBe(1)
    stops[0]?.()
    stops[0]?.()
    expect(await subscribers()).toBe(1)
    stops[1]?.()
    await eventually(async () => expect(await subscribers()).toBe(0))
    const again = await record(store, 'a')
    await store.write({ op: 'set', key: 'a', value: 1 })
    expect(await again.count(1)).toHaveLength(1)
    again.stop()
  })

  test('[N4] that are no change are reported and dropped; those after them arrive', async () => {
    const errors: unknown[] = []
    const careful = driver({ onError: (error, { stage }) => errors.push([stage, error instanceof RealtimeError && error.code]) })
    const told = await record(careful, 'a')
    for (const text of ['', 'null', '[]', '{}', '{"event":"update","key":"a/b","version":1}', '{"event":"other","key":"a","version":1}'])
      await made.client.publish('tutti:watch', text)
    await store.write({ op: 'set', key: 'a', value: 1 })
    await told.count(1)
    expect(errors).toEqual(Array.from({ length: 6 }, () => ['message', 'INVALID_MESSAGE']))
    expect(told.changes).toHaveLength(1)
    told.stop()
  })

  test('[N6] may be missed only where onGap tells', async () => {
    const gap = new Promise<void>((resolve) => store.onGap(resolve))
    const told = await record(store, 'a')
    await made.client.client('KILL', 'TYPE', 'pubsub')
    await gap
    await other.write({ op: 'set', key: 'a', value: 1 })
    expect(await told.count(1)).toHaveLength(1)
    told.stop()
  })

  test('[S4] are refused to a writer without the right to publish, and its write is done all the same', async () => {
    await made.client.call('ACL', 'SETUSER', 'mute', 'on', 'nopass', 'allkeys', 'allcommands', 'resetchannels')
    const mute = new RealtimePubSub({ host: made.redis.host, port: made.redis.port, username: 'mute', password: 'x' })
    await mute.link.ready
    const { version } = await reactiveRedisDriver({ pubsub: mute }).write({ op: 'set', key: 'a', value: 1 })
    expect(await store.read(['a'])).toEqual([{ key: 'a', version, value: 1 }])
    await mute.dispose()
  })
})

describe('a lost answer', () => {
  /** A link whose scripts run, but whose next `times` answers are lost. */
  const losing = (times: number, { status = 'ready', afterwards }: { status?: string; afterwards?: RealtimeError } = {}) => {
    const lost: { left: number } = { left: times }
    const link: RedisLink = Object.create(pubsub.link, {
      status: { get: () => status },
      script: {
        value: (source: string) => ({
          run: async (...call: Parameters<ReturnType<RedisLink['script']>['run']>) => {
            if (lost.left < 0 && afterwards !== undefined) throw afterwards
            const reply = await pubsub.link.script(source).run(...call)
            if (lost.left > 0) {
              lost.left = afterwards === undefined ? lost.left - 1 : -1
              throw new RealtimeError('OUTCOME_UNKNOWN')
            }
            return reply
          },
        }),
      },
    })
    return reactiveRedisDriver({ pubsub: { instanceId: pubsub.instanceId, link } })
  }

  test('[F2] of a write with a number is asked for again until it is known', async () => {
    const author = freshAuthor()
    const { version } = await losing(3).write({ op: 'increment', key: 'a', by: 1, author })
    expect(await store.read(['a'])).toEqual([{ key: 'a', version, value: 1 }])
    await losing(2).write({ op: 'patch', key: 'b', patch: { a: 1 }, author })
    expect(await store.read(['b'])).toMatchObject([{ value: { a: 1 } }])
  })

  test('[F2] of a write without a number is told as OUTCOME_UNKNOWN, and not repeated', async () => {
    await expect(losing(1).write({ op: 'increment', key: 'a', by: 1 })).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    await expect(losing(1).write({ op: 'patch', key: 'b', patch: { a: 1 } })).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    expect(await store.read(['a', 'b'])).toMatchObject([{ value: 1 }, { value: { a: 1 } }])
  })

  test('[F2] stays unknown where there is no connection to ask over, whatever the next try says', async () => {
    const author = freshAuthor()
    const write = { op: 'increment', key: 'a', by: 1, author } as const
    await expect(losing(1, { status: 'unavailable' }).write(write)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    const second = { ...write, author: { ...author, number: 2 } }
    const away = new RealtimeError('UNAVAILABLE')
    await expect(losing(1, { afterwards: away }).write(second)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    expect(await store.write(second)).toMatchObject({ value: 2 })
  })
})
