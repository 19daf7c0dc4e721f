import { RealtimeError, type ErrorCode } from '@tutti/protocol'
import type { RedisLink, RedisScript, ScriptSource } from '@tutti/pubsub/redis'
import { beforeEach, describe, expect, test } from 'vitest'
import { reactiveRedisDriver, type MutationAuthor, type ReactiveDriver } from '../src/index.ts'
import { freshAuthor, record } from '../src/testing/store-under-test.ts'
import { monitor } from './monitor.ts'
import { redisForAllTests } from './stores.ts'

const { made, pubsub, another } = await redisForAllTests()
let store: ReactiveDriver
let other: ReactiveDriver

beforeEach(async () => {
  store = reactiveRedisDriver({ pubsub })
  other = reactiveRedisDriver({ pubsub: another })
  // Replies arrive in order, so both have loaded their scripts.
  await Promise.all([store, other].map((one) => one.read(['a'])))
})

describe('one write', () => {
  test('[S5] is one EVALSHA, without other commands on either instance', async () => {
    const changes = await record(other, 'a')
    const commands = await monitor(made.redis, async () => {
      for (let value = 0; value < 50; value++)
        await store.write({ op: 'set', key: 'a', value, author: { user: 'u', clientId: 'c', number: value + 1 } })
      await changes.count(50)
    })
    expect(commands.filter((name) => name === 'evalsha')).toHaveLength(50)
    expect(commands.filter((name) => name === 'eval').length).toBeLessThanOrEqual(1)
    expect(commands.filter((name) => name !== 'evalsha' && name !== 'eval')).toEqual([])
    changes.stop()
  })

  test('[S5] is one EVALSHA for a patch with a known base, two otherwise', async () => {
    const stops = [store, other].map((one) => one.onChange(() => {}))
    await Promise.all(stops.map(({ ready }) => ready))
    const changes = await record(other, 'a')
    const patches = (one: ReactiveDriver) =>
      monitor(made.redis, async () => void (await one.write({ op: 'patch', key: 'a', patch: { a: 1 } })))
    expect(await patches(store)).toHaveLength(1)
    expect(await patches(store)).toHaveLength(1)
    expect(await patches(other)).toHaveLength(2)
    await changes.count(3)
    await store.write({ op: 'patch', key: 'a', patch: { b: 1 } })
    await changes.count(4)
    expect(await patches(other)).toHaveLength(1)
    for (const stop of [...stops, changes.stop]) stop()
  })

  test('[S5] [S6] is one EVALSHA if refused or remembered, except a remembered conflict', async () => {
    const author = freshAuthor()
    const conflict = { op: 'set', key: 'a', value: 2, ifVersion: 1, author } as const
    await store.write({ op: 'set', key: 'a', value: 1 })
    const counts: number[] = []
    const count = async (write: () => Promise<unknown>) =>
      counts.push((await monitor(made.redis, async () => void (await write()))).filter((name) => name.startsWith('eval')).length)
    await count(() => expect(store.write(conflict)).rejects.toMatchObject({ code: 'CONFLICT', entry: { value: 1 } }))
    await count(() => expect(store.write(conflict)).rejects.toMatchObject({ code: 'CONFLICT', entry: { value: 1 } }))
    const increment = { op: 'increment', key: 'a', by: 1, author: { ...author, number: 2 } } as const
    for (let time = 0; time < 2; time++) await count(() => store.write(increment))
    expect(counts).toEqual([1, 2, 1, 1])
  })

  test('[S8] includes all queued patches of a key, each author remembered', async () => {
    const authors = Array.from({ length: 20 }, (_, place) => freshAuthor(place + 1))
    const write = (one: ReactiveDriver) =>
      Promise.all(authors.map((author, place) => one.write({ op: 'patch', key: 'a', patch: { [`p${place}`]: place }, author })))
    let results: Awaited<ReturnType<typeof write>> = []
    const commands = await monitor(made.redis, async () => void (results = await write(store)))
    expect(commands).toEqual(['evalsha', 'evalsha'])
    expect(new Set(results.map(({ version }) => version)).size).toBe(2)
    expect(await write(other)).toEqual(results)
    expect(await store.read(['a'])).toMatchObject([{ value: Object.fromEntries(authors.map((_, place) => [`p${place}`, place])) }])
  })

  test('[S8] [S12] returns remembered results of queued patches and writes the others', async () => {
    const [handled, stale] = [freshAuthor(), freshAuthor()]
    const first = await other.write({ op: 'patch', key: 'a', patch: { a: 1 }, author: handled })
    await other.write({ op: 'patch', key: 'a', patch: { b: 1 }, author: { ...stale, number: 5 } })
    const writes = [freshAuthor(), freshAuthor(), handled, stale, freshAuthor()].map((author, place) =>
      store.write({ op: 'patch', key: 'a', patch: { [`p${place}`]: place }, author }),
    )
    const [, , repeated, refused, last] = await Promise.allSettled(writes)
    expect(repeated).toEqual({ status: 'fulfilled', value: first })
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'STALE_MUTATION' } })
    expect(last?.status).toBe('fulfilled')
    expect(await store.read(['a'])).toMatchObject([{ value: { a: 1, b: 1, p0: 0, p1: 1, p4: 4 } }])
  })

  test('[S8] [S12] includes one patch per author, so that a lower number is refused', async () => {
    const author = freshAuthor()
    const writes = [freshAuthor(), { ...author, number: 2 }, { ...author, number: 1 }].map((each, place) =>
      store.write({ op: 'patch', key: 'a', patch: { [`p${place}`]: 1 }, author: each }),
    )
    const [, , last] = await Promise.allSettled(writes)
    expect(last).toMatchObject({ status: 'rejected', reason: { code: 'STALE_MUTATION' } })
    expect(await store.read(['a'])).toMatchObject([{ value: { p0: 1, p1: 1 } }])
  })

  test('[S8] names a writer only if one connection requested all of it', async () => {
    const changes = await record(other, 'a')
    await Promise.all(['one', 'two', 'three'].map((writer) => store.write({ op: 'patch', key: 'a', patch: { [writer]: 1 }, writer })))
    expect((await changes.count(2)).map(({ writer }) => writer)).toEqual(['one', undefined])
    changes.stop()
  })

  test('[S5] reads the base of a patch once, also if the value is large', async () => {
    await store.write({ op: 'patch', key: 'a', patch: { text: 'x'.repeat(9_000) } })
    expect(await monitor(made.redis, async () => void (await store.write({ op: 'patch', key: 'a', patch: { b: 1 } })))).toHaveLength(1)
  })

  test('[F2] refuses queued patches past their deadline and writes the others', async () => {
    const writes = [0, 1, 2, 3].map((place) =>
      store.write({ op: 'patch', key: 'a', patch: { [`p${place}`]: place } }, place === 2 ? { deadline: Date.now() - 60_000 } : {}),
    )
    const results = await Promise.allSettled(writes)
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(await store.read(['a'])).toMatchObject([{ value: { p0: 0, p1: 1, p3: 3 } }])
  })

  test('[S5] [S12] a plain set repeats a remembered result and refuses a lower number', async () => {
    const author = freshAuthor(2)
    await store.write({ op: 'set', key: 'a', value: 0 })
    const first = await store.write({ op: 'set', key: 'a', value: 1, author })
    expect(await other.write({ op: 'set', key: 'a', value: 1, author })).toEqual(first)
    await expect(store.write({ op: 'set', key: 'a', value: 2, author: { ...author, number: 1 } })).rejects.toMatchObject({
      code: 'STALE_MUTATION',
    })
    await expect(store.write({ op: 'set', key: 'a', value: 3 }, { deadline: Date.now() - 60_000 })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    })
    expect(await store.read(['a'])).toEqual([{ key: 'a', version: first.version, value: 1 }])
  })

  test('[S5] the keys of one read are joined: 500 of them are four scripts', async () => {
    const keys = Array.from({ length: 500 }, (_, place) => `key:${place}`)
    await Promise.all(keys.map((key, value) => store.write({ op: 'set', key, value })))
    const commands = await monitor(made.redis, async () => {
      expect(await other.read(keys)).toMatchObject(keys.map((key, value) => ({ key, value })))
    })
    expect(commands).toEqual(['evalsha', 'evalsha', 'evalsha', 'evalsha'])
  })

  test('[S5] continues after Redis lost the scripts', async () => {
    await made.client.script('FLUSH')
    const writes = Array.from({ length: 10 }, () => store.write({ op: 'increment', key: 'a', by: 1 }))
    await Promise.all(writes)
    expect(await other.read(['a'])).toMatchObject([{ value: 10 }])
  })

  test('[S7] 2 x 100 concurrent increments result in exactly 200, 20 times of 20', async () => {
    for (let round = 0; round < 20; round++) {
      const key = `count:${round}`
      await Promise.all(Array.from({ length: 200 }, (_, place) => (place % 2 === 0 ? store : other).write({ op: 'increment', key, by: 1 })))
      expect(await store.read([key])).toMatchObject([{ value: 200 }])
    }
  })
})

describe('a lost answer', () => {
  /** A store whose scripts end one after the other with the given outcomes: they run, or run without a reply, or never run. */
  const scripted = (ends: ('ok' | 'lost' | 'away' | 'closed')[], status = 'ready') => {
    const link: RedisLink = Object.create(pubsub.link, {
      status: { get: () => status },
      script: {
        value: (source: ScriptSource): Pick<RedisScript, 'send'> => ({
          send: (keys, args, onReply, onError) => {
            const end = ends.shift()
            const fail = (code: ErrorCode) => queueMicrotask(() => onError(new RealtimeError(code)))
            if (end === 'away') return fail('UNAVAILABLE')
            if (end === 'closed') return fail('CLOSED')
            const replied = end === 'lost' ? () => onError(new RealtimeError('OUTCOME_UNKNOWN')) : onReply
            pubsub.link.script(source).send(keys, args, replied, onError)
          },
        }),
      },
    })
    return reactiveRedisDriver({ pubsub: { instanceId: pubsub.instanceId, link } })
  }
  const unknown = { code: 'OUTCOME_UNKNOWN' }
  const patch = (one: ReactiveDriver, name: string, author?: MutationAuthor) =>
    one.write({ op: 'patch', key: 'a', patch: { [name]: 1 }, author })

  test('[F2] of a write with a number is requested again until it is known', async () => {
    const author = freshAuthor()
    const { version } = await scripted(['lost', 'lost', 'lost']).write({ op: 'increment', key: 'count', by: 1, author })
    expect(await store.read(['count'])).toEqual([{ key: 'count', version, value: 1 }])
    const changes = await record(other, 'a')
    await patch(scripted(['lost', 'lost']), 'p', author)
    await store.write({ op: 'remove', key: 'a' })
    expect(await changes.count(2)).toMatchObject([{ value: { p: 1 } }, { removed: true }])
    changes.stop()
  })

  test('[S17] of a listing refuses all of it instead of omitting entries', async () => {
    await store.write({ op: 'set', key: 'a', value: 1 })
    await expect(scripted(['away']).list('')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(scripted(['lost']).list('')).rejects.toMatchObject(unknown)
  })

  test('[F2] of an item is reported as an outage, not as another type', async () => {
    const away = () => Promise.reject(new RealtimeError('UNAVAILABLE'))
    const link: RedisLink = Object.create(pubsub.link, { command: { value: away } })
    const one = reactiveRedisDriver({ pubsub: { instanceId: pubsub.instanceId, link } })
    await expect(one.getItem('a')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  test('[F2] of a write without a number is OUTCOME_UNKNOWN, and not repeated', async () => {
    await expect(scripted(['lost']).write({ op: 'increment', key: 'count', by: 1 })).rejects.toMatchObject(unknown)
    await expect(patch(scripted(['lost']), 'p')).rejects.toMatchObject(unknown)
    expect(await store.read(['count', 'a'])).toMatchObject([{ value: 1 }, { value: { p: 1 } }])
  })

  test('[F2] stays unknown without a connection, regardless of the next attempt', async () => {
    const author = freshAuthor()
    const write = { op: 'increment', key: 'count', by: 1, author } as const
    await expect(scripted(['lost'], 'unavailable').write(write)).rejects.toMatchObject(unknown)
    const second = { ...write, author: { ...author, number: 2 } }
    await expect(scripted(['lost', 'away']).write(second)).rejects.toMatchObject(unknown)
    await expect(scripted(['lost', 'closed']).write(second)).rejects.toMatchObject(unknown)
    expect(await store.write(second)).toMatchObject({ value: 2 })
    await expect(scripted(['away']).write(second)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(scripted(['closed']).write(second)).rejects.toMatchObject({ code: 'CLOSED' })
  })

  test('[F2] [S8] is unknown only for patches without numbers, in their own write', async () => {
    const one = scripted(['ok', 'lost'])
    const results = await Promise.allSettled([patch(one, 'a', freshAuthor()), patch(one, 'b'), patch(one, 'c', freshAuthor())])
    expect(results).toMatchObject([{ status: 'fulfilled' }, { status: 'rejected', reason: unknown }, { status: 'fulfilled' }])
    expect(await store.read(['a'])).toMatchObject([{ value: { a: 1, b: 1, c: 1 } }])
  })

  test('[F2] [S8] of patches in one write stays unknown if Redis is lost before the rest', async () => {
    const one = scripted(['ok', 'lost', 'ok', 'away'])
    const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => patch(one, name, freshAuthor())))
    expect(results).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }, { status: 'rejected', reason: unknown }])
    expect(await store.read(['a'])).toMatchObject([{ value: { a: 1, b: 1, c: 1 } }])
  })
})
