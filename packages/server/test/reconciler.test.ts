import { RealtimeError } from '@tutti/protocol'
import { RealtimePubSub } from '@tutti/pubsub'
import { reactiveRedisDriver, type ReactiveDriver } from '@tutti/storage-driver'
import { eventually, startRedis, type TestRedis } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { startReconciler } from '../src/state/reconciler.ts'
import { serve, type PlainClient } from './serve.ts'

afterEach(() => vi.useRealTimers())

/** A server that goes round in 100 ms, with a client. */
async function audited(): Promise<{ redis: TestRedis; client: PlainClient }> {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const pubsub = new RealtimePubSub({ url: redis.url })
  const served = await serve({ pubsub, state: reactiveRedisDriver({ pubsub }), reconcileIntervalMs: 100 })
  onTestFinished(() => served.close())
  return { redis, client: await served.connect() }
}

/** A store whose messages reach no instance: its writes are not announced to the server. */
async function unheardStore({ url }: TestRedis): Promise<ReactiveDriver> {
  const pubsub = new RealtimePubSub({ url, prefix: 'deaf' })
  onTestFinished(() => pubsub.dispose())
  await pubsub.link.ready
  return reactiveRedisDriver({ pubsub })
}

test('[S4] reconciliation delivers lost notifications and foreign removals', async () => {
  const { redis, client } = await audited()
  await client.request('storage:set', { key: 'removed', value: 1 })
  await client.request('storage:subscribe', { keys: ['lost', 'removed', 'quiet'].map((key) => ({ key })) })
  const admin = new Redis(redis.port, redis.host)
  onTestFinished(() => admin.disconnect())
  const { version } = await (await unheardStore(redis)).write({ op: 'set', key: 'lost', value: 'found' })
  await eventually(() => expect(client.of('storage:updated')).toContainEqual({ key: 'lost', version, value: 'found' }))
  await admin.del('tutti:removed')
  await eventually(() =>
    expect(client.of('storage:updated')).toContainEqual({ key: 'removed', version: expect.any(Number), removed: true }),
  )
  expect(client.of('storage:updated')).toHaveLength(2)
})

test('[S4] [S17] reconciliation delivers an unannounced entry below a watched prefix', async () => {
  const { redis, client } = await audited()
  await client.request('storage:subscribe', { prefix: 'todos:' })
  const { version } = await (await unheardStore(redis)).write({ op: 'set', key: 'todos:1', value: 'found' })
  await eventually(() => expect(client.of('storage:updated')).toEqual([{ key: 'todos:1', version, value: 'found' }]))
})

interface Setup {
  asked: { at: number; keys: string[] }[]
  repaired: string[]
  stop: () => void
}

function setup(
  keys: readonly string[],
  versions: Record<string, number | undefined> = {},
  fail?: RealtimeError,
  intervalMs = 1_000,
): Setup {
  vi.useFakeTimers({ now: 0 })
  const asked: Setup['asked'] = []
  const repaired: string[] = []
  const stop = startReconciler({
    reads: {
      readChanged: async (known) => {
        asked.push({ at: Date.now(), keys: [...known.keys()] })
        if (fail !== undefined) throw fail
        return [...known].filter(([, version]) => version !== 1).map(([key]) => ({ key, version: 1, value: 1 }))
      },
    },
    intervalMs,
    keys: () => keys,
    versionOf: (key) => (key in versions ? versions[key] : 1),
    repair: async (differing) => void repaired.push(...differing),
    repairPrefixes: async () => void repaired.push('prefixes'),
  })
  return { asked, repaired, stop }
}

test('[S5] each watched key is compared once per interval, in spread batches', async () => {
  const keys = Array.from({ length: 350 }, (_, number) => `key:${number}`)
  const { asked, repaired, stop } = setup(keys, { 'key:7': 2, 'key:9': undefined })
  await vi.advanceTimersByTimeAsync(1_999)
  stop()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(asked.map(({ at, keys: batch }) => [at, batch.length])).toEqual([
    ...[250, 500, 750, 1_000].map((at) => [at, at === 250 ? 99 : at === 1_000 ? 50 : 100]),
    ...[1_250, 1_500, 1_750].map((at) => [at, at === 1_250 ? 99 : 100]),
  ])
  expect(repaired).toEqual(['key:9', 'key:7', 'prefixes', 'key:9', 'key:7'])
  expect(vi.getTimerCount()).toBe(0)
})

test('[S5] nothing is read without subscribers or without an interval', async () => {
  const none = setup([])
  await vi.advanceTimersByTimeAsync(10_000)
  none.stop()
  expect(none.asked).toEqual([])
  const never = setup(['a'], {}, undefined, 0)
  await vi.advanceTimersByTimeAsync(100_000)
  expect(never.asked).toEqual([])
})

test('[F4] an outage is left to the repair; an unreadable key is read separately', async () => {
  const away = setup(['a'], {}, new RealtimeError('UNAVAILABLE'))
  await vi.advanceTimersByTimeAsync(3_000)
  away.stop()
  expect([away.asked.length, away.repaired]).toEqual([3, ['prefixes', 'prefixes', 'prefixes']])
  const wrong = setup(['a', 'b'], {}, new RealtimeError('WRONG_TYPE'))
  await vi.advanceTimersByTimeAsync(2_000)
  wrong.stop()
  expect(wrong.repaired).toEqual(['a', 'b', 'prefixes', 'a', 'b', 'prefixes'])
})
