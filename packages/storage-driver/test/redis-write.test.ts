import { RealtimeError } from '@tutti/protocol'
import type { RealtimePubSub } from '@tutti/pubsub'
import type { RedisLink } from '@tutti/pubsub/redis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { reactiveRedisDriver, type ReactiveDriver } from '../src/index.ts'
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
