import { spawnInstance, startRedisCluster, eventually, type Instance } from '@tutti/test-kit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectPlain, type PlainClient } from './serve.ts'

// Two instances, as processes, on a Redis Cluster of three masters: the keys of one round lie on all of them.
let cluster: Awaited<ReturnType<typeof startRedisCluster>>
let instances: Instance[] = []
const clients: PlainClient[] = []

beforeAll(async () => {
  cluster = await startRedisCluster()
  const env = { REDIS_PLACE: JSON.stringify({ cluster: cluster.addresses }), ADAPTER: '1' }
  instances = await Promise.all([1, 2].map(() => spawnInstance(new URL('./instance.ts', import.meta.url), { env })))
})

afterAll(async () => {
  for (const { socket } of clients) socket.disconnect()
  await Promise.all(instances.map((instance) => instance.stop()))
  await cluster.stop()
})

async function connectTo(index: number): Promise<PlainClient> {
  const client = await connectPlain(String(instances[index]?.ready['url']))
  clients.push(client)
  return client
}

/** The entry of a key that a client shows: the newest that it received, in a reply or an update. */
const shown = (client: PlainClient, key: string, own: number): number =>
  client.of('storage:updated').reduce<number>((newest, update) => {
    const { key: told, version } = update as { key: string; version: number }
    return told === key ? Math.max(newest, version) : newest
  }, own)

test('[S4] on a Cluster, 0 of 50 rounds of concurrent writers end apart', async () => {
  const [first, second, near, far] = await Promise.all([connectTo(0), connectTo(1), connectTo(0), connectTo(1)])
  const writers = [first, second]
  for (let round = 0; round < 50; round += 1) {
    const key = `round:${round}`
    for (const client of [first, second, near, far]) await client.request('storage:subscribe', { keys: [{ key }] })
    const replies = await Promise.all(writers.map((writer, place) => writer.request('storage:set', { key, value: place })))
    const versions = replies.map(({ version }) => version)
    const stored = (await far.request('storage:get', { key })) as { version: number; value: number }
    expect(stored.version).toBe(Math.max(...versions))
    expect(stored.value).toBe(versions.indexOf(stored.version))
    await eventually(() => {
      const ends = [shown(first, key, versions[0] ?? 0), shown(second, key, versions[1] ?? 0), shown(near, key, 0), shown(far, key, 0)]
      expect(ends).toEqual([stored.version, stored.version, stored.version, stored.version])
    })
  }
})

test('[S7] on a Cluster, 2 × 100 concurrent increments make 200', async () => {
  const [first, second] = await Promise.all([connectTo(0), connectTo(1)])
  for (const key of ['count:a', 'count:b', 'count:c']) {
    await Promise.all(
      Array.from({ length: 100 }, () => [first, second].map((client) => client.request('storage:increment', { key, by: 1 }))).flat(),
    )
    expect(await first.request('storage:get', { key })).toMatchObject({ value: 200 })
  }
})

test('[E1] [S17] on a Cluster events are relayed, and a prefix lists all nodes', async () => {
  const [publisher, far] = await Promise.all([connectTo(0), connectTo(1)])
  await far.request('event:subscribe', { channel: 'chat:*' })
  await publisher.request('event:publish', { channel: 'chat:room1', data: 'hello' })
  await eventually(() => expect(far.of('event:received')).toMatchObject([{ channel: 'chat:room1', data: 'hello' }]))
  for (let place = 0; place < 10; place += 1) await publisher.request('storage:set', { key: `list:${place}`, value: place })
  expect(await instances[1]?.call('keys', 'list:')).toHaveLength(10)
})

test('[R4] on a Cluster, Socket.IO reaches the sockets of both instances', async () => {
  const both = await Promise.all([connectTo(0), connectTo(1)])
  const ids = both.map(({ socket }) => socket.id)
  for (const instance of instances) expect(await instance.call('sockets')).toEqual(expect.arrayContaining(ids))
  for (const [place, instance] of instances.entries()) await instance.call('emit', 'test', place)
  await eventually(() =>
    expect(both.map((client) => client.of('test').toSorted((a, b) => Number(a) - Number(b)))).toEqual([
      [0, 1],
      [0, 1],
    ]),
  )
})
