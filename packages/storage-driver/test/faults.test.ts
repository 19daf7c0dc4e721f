import { RealtimePubSub } from '@tutti/pubsub'
import { eventually, startRedis, type TestRedis } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { reactiveRedisDriver, type ReactiveDriver } from '../src/index.ts'
import { freshAuthor, record } from '../src/testing/store-under-test.ts'

let redis: TestRedis
let pubsub: RealtimePubSub
let store: ReactiveDriver

beforeEach(async () => {
  redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
  pubsub = new RealtimePubSub({ url: redis.url, commandTimeoutMs: 3_000 })
  await pubsub.link.ready
  store = reactiveRedisDriver({ pubsub, writeTimeoutMs: 1_500 })
})
afterEach(async () => {
  redis.resume()
  await store.dispose()
  await pubsub.dispose()
  await redis.stop()
})

const codesOf = async (writes: Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(writes)).map((result) => (result.status === 'fulfilled' ? 'done' : result.reason.code))

test('[F2] a write that a frozen Redis did not apply by its deadline is never applied', async () => {
  await store.write({ op: 'set', key: 'count', value: 0 })
  const gap = new Promise<void>((resolve) => store.onGap(resolve))
  redis.pause()
  const author = freshAuthor()
  const writes = [
    store.write({ op: 'increment', key: 'count', by: 1 }),
    store.write({ op: 'increment', key: 'count', by: 10, author }),
    store.write({ op: 'patch', key: 'patched', patch: { a: 1 } }),
  ]
  expect(await codesOf(writes)).toEqual(['OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN'])
  redis.resume()
  await gap
  expect(await store.read(['count', 'patched'])).toMatchObject([{ value: 0 }, { version: 0, removed: true }])
  // Sent again with its number and a new deadline, it takes effect once.
  expect(await store.write({ op: 'increment', key: 'count', by: 10, author })).toMatchObject({ value: 10 })
  expect(await store.write({ op: 'increment', key: 'count', by: 10, author })).toMatchObject({ value: 10 })
})

test('[F2] a write during an outage is refused, and never applied', async () => {
  const gap = new Promise<void>((resolve) => store.onGap(resolve))
  await redis.kill()
  // Not by the status, which may come from the other connection first.
  await eventually(async () => expect(await codesOf([store.read(['a'])])).toEqual(['UNAVAILABLE']))
  expect(await codesOf([store.write({ op: 'set', key: 'a', value: 1 }), store.write({ op: 'patch', key: 'a', patch: {} })])).toEqual([
    'UNAVAILABLE',
    'UNAVAILABLE',
  ])
  await redis.restart()
  await gap
  expect(await store.read(['a'])).toEqual([{ key: 'a', version: 0, removed: true }])
})

test('[S1] [S12] versions, memories, values and subscriptions survive a restart', async () => {
  const author = freshAuthor()
  const changes = await record(store, 'a')
  const write = { op: 'increment', key: 'a', by: 1, author } as const
  const done = await store.write(write)
  await changes.count(1)
  const gap = new Promise<void>((resolve) => store.onGap(resolve))
  await redis.restart()
  await gap
  expect(await store.write(write)).toEqual(done)
  expect(await store.read(['a'])).toEqual([{ key: 'a', version: done.version, value: 1 }])
  const next = await store.write({ op: 'increment', key: 'a', by: 1 })
  expect(next.version).toBeGreaterThan(done.version)
  expect((await changes.count(2)).map(({ version }) => version)).toEqual([done.version, next.version])
  changes.stop()
})

test('[S1] versions increase on a Redis that lost its data', async () => {
  const { version } = await store.write({ op: 'set', key: 'a', value: 1 })
  const client = new Redis(redis.url)
  await client.flushall()
  client.disconnect()
  const gap = new Promise<void>((resolve) => store.onGap(resolve))
  await redis.restart()
  await gap
  expect(await store.read(['a'])).toEqual([{ key: 'a', version: 0, removed: true }])
  expect((await store.write({ op: 'set', key: 'a', value: 1 })).version).toBeGreaterThan(version)
})

test("[F2] an instance with a wrong estimate of Redis' clock corrects it on a refusal", async () => {
  pubsub.link.adjustClock(Date.now() - 3_600_000)
  expect(await codesOf([store.write({ op: 'set', key: 'a', value: 1 })])).toEqual(['UNAVAILABLE'])
  expect(Math.abs(pubsub.link.now() - Date.now())).toBeLessThan(60_000)
  expect(await codesOf([store.write({ op: 'set', key: 'a', value: 1 })])).toEqual(['done'])
})
