import { RealtimePubSub } from '@tutti/pubsub'
import { reactiveDriver, reactiveRedisDriver } from '@tutti/storage-driver'
import { eventually, startRedis, type TestRedis } from '@tutti/test-kit'
import memoryDriver from 'unstorage/drivers/memory'
import { expect, onTestFinished, test } from 'vitest'
import { serve, type PlainClient, type Served } from './serve.ts'

/** Two instances on one Redis. */
async function serveTwo(): Promise<{ redis: TestRedis; servers: Served[]; drivers: ReturnType<typeof reactiveRedisDriver>[] }> {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const drivers: ReturnType<typeof reactiveRedisDriver>[] = []
  const servers = await Promise.all(
    [0, 1].map(() => {
      const pubsub = new RealtimePubSub({ url: redis.url, onError: () => {} })
      const state = reactiveRedisDriver({ pubsub })
      drivers.push(state)
      return serve({ pubsub, state })
    }),
  )
  for (const server of servers) onTestFinished(() => server.close())
  return { redis, servers, drivers }
}

const subscribed = async (server: Served | undefined, key: string): Promise<PlainClient> => {
  if (server === undefined) throw new Error('There is no such server.')
  const client = await server.connect()
  const { entries } = await client.request('storage:subscribe', { keys: [{ key }] })
  expect(JSON.stringify(entries)).not.toContain('expiresAt')
  return client
}

const REMOVED = { key: 'k', version: expect.any(Number), removed: true }

test('[S18] subscribers of every instance receive the expiry once', async () => {
  const { servers } = await serveTwo()
  const before = await Promise.all(servers.map((server) => subscribed(server, 'k')))
  await before[0]?.request('storage:set', { key: 'k', value: 1, ttlMs: 400 })
  const after = await Promise.all(servers.map((server) => subscribed(server, 'k')))
  const seen: unknown[] = []
  servers[1]?.realtime.state.watch('k', (entry) => seen.push(entry))
  for (const client of [...before, ...after]) {
    await eventually(() => expect(client.of('storage:updated').at(-1)).toEqual(REMOVED))
  }
  await eventually(() => expect(seen).toEqual([{ key: 'k', version: expect.any(Number), value: 1 }, REMOVED]))
  // The next update is that of the following write: nothing was sent twice.
  await before[1]?.request('storage:set', { key: 'k', value: 2 })
  for (const client of after) {
    await eventually(() => expect(client.of('storage:updated')).toEqual([REMOVED, { key: 'k', version: expect.any(Number), value: 2 }]))
  }
})

test('[S18] a later subscriber of an entry with a lifetime receives its expiry', async () => {
  const { servers, drivers } = await serveTwo()
  await drivers[0]?.write({ op: 'set', key: 'k', value: 1, ttlMs: 400 })
  const client = await subscribed(servers[1], 'k')
  await eventually(() => expect(client.of('storage:updated')).toEqual([REMOVED]))
})

test("[S18] unstorage's ttl ends for subscribers too, and a set without one removes it", async () => {
  const { servers, drivers } = await serveTwo()
  const client = await subscribed(servers[1], 'k')
  const lasting = await subscribed(servers[1], 'lasting')
  await drivers[0]?.setItem?.('lasting', '1', { ttl: 0.2 })
  await drivers[0]?.setItem?.('lasting', '2', {})
  await drivers[0]?.setItem?.('k', '1', { ttl: 0.3 })
  await eventually(() => expect(client.of('storage:updated')).toEqual([expect.objectContaining({ value: 1 }), REMOVED]))
  expect(lasting.of('storage:updated')).toMatchObject([{ value: 1 }, { value: 2 }])
})

test('[S18] [F4] an expiry during an outage is delivered after it', async () => {
  const { redis, servers } = await serveTwo()
  const client = await subscribed(servers[0], 'k')
  await client.request('storage:set', { key: 'k', value: 1, ttlMs: 300 })
  redis.pause()
  const end = Date.now() + 400
  await eventually(() => expect(Date.now()).toBeGreaterThan(end))
  redis.resume()
  await eventually(() => expect(client.of('storage:updated')).toEqual([REMOVED]))
})

test('[S18] the store of one process ends entries on time for its subscribers', async () => {
  const served = await serve({ state: reactiveDriver(memoryDriver()) })
  onTestFinished(() => served.close())
  const [writer, watcher] = [await served.connect(), await subscribed(served, 'k')]
  await writer.request('storage:set', { key: 'k', value: 1, ttlMs: 150 })
  await writer.request('storage:increment', { key: 'k', by: 1 })
  await eventually(() =>
    expect(watcher.of('storage:updated')).toEqual([expect.objectContaining({ value: 1 }), expect.objectContaining({ value: 2 }), REMOVED]),
  )
})
