import { redisOptions } from '@tutti/pubsub/redis'
import { sendToRedis, eventually, startRedisCluster, type TestRedis } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createRedisCluster } from '../src/redis/cluster/redis-cluster.ts'
import { createEndOfTurn } from '../src/redis/end-of-turn.ts'
import { promised } from '../src/redis/script.ts'

// The commands to a Cluster alone, for moments that cannot be observed from outside.
let cluster: Awaited<ReturnType<typeof startRedisCluster>>
beforeAll(async () => {
  cluster = await startRedisCluster()
})
afterAll(() => cluster.stop())

/**
 * Commands to all three nodes, ready. `reported` contains their reports; `cut` closes the connection to a node and settles when
 * it is ready again.
 */
async function commands() {
  const clients = new Map<number, Redis>()
  const reported: string[] = []
  const pub = createRedisCluster({
    ...{
      seeds: cluster.addresses,
      sources: new Set<string>(),
      breakerFailures: 5,
      keepAliveMs: 10_000,
      endOfTurn: createEndOfTurn(),
      breakerProbeMs: 30_000,
    },
    connect: (address) => {
      const client = new Redis({ ...redisOptions(), ...address, lazyConnect: true })
      clients.set(address.port, client)
      return client
    },
    onReady: (again) => reported.push(again ? 'ready again' : 'ready'),
    onLost: () => reported.push('lost'),
    ...{ onMap: () => {}, onBreaker: () => {}, onTime: () => {}, onError: () => {} },
  })
  onTestFinished(() => pub.close())
  await eventually(() => expect(reported).toEqual(['ready']))
  reported.length = 0
  const cut = async ({ port }: TestRedis): Promise<void> => {
    const client = clients.get(port)
    if (client === undefined) throw new Error('Nobody is connected to it.')
    const back = once(client, 'ready')
    client.stream.destroy()
    await back
  }
  return { pub, ask: promised(pub.send), reported, cut }
}

const nodes = (): readonly [TestRedis, TestRedis, TestRedis] => {
  const [a, b, c] = cluster.nodes
  if (a === undefined || b === undefined || c === undefined) throw new Error('There are three.')
  return [a, b, c]
}

/** Freezes a node until the returned function is called or the test ends. */
function freeze(node: TestRedis): () => void {
  node.pause()
  onTestFinished(() => node.resume())
  return () => node.resume()
}

test('[N6] a Cluster is up only after it has reported ready, so an outage counts once', async () => {
  const { pub, reported, cut } = await commands()
  const [first, , third] = nodes()
  // It is the first node that is queried for the map.
  const resume = freeze(first)
  await cut(third)
  expect([pub.isUp, reported]).toEqual([false, ['lost']])
  resume()
  await eventually(() => expect([pub.isUp, reported.at(-1)]).toEqual([true, 'ready again']))
})

test('[N6] a node that reconnects during the query for CLUSTERDOWN is not overlooked', async () => {
  const { pub, ask, reported, cut } = await commands()
  const [first, second, third] = nodes()
  const slot = Number(await sendToRedis(first, 'CLUSTER', 'KEYSLOT', 'a'))
  await sendToRedis(third, 'CLUSTER', 'DELSLOTS', slot)
  await expect(ask('GET', ['a'])).rejects.toMatchObject({ message: expect.stringContaining('CLUSTERDOWN') })
  await sendToRedis(third, 'CLUSTER', 'ADDSLOTS', slot)
  await cluster.serving()
  const resume = freeze(third)
  await cut(second)
  resume()
  await eventually(() => expect([pub.isUp, reported.at(-1)]).toEqual([true, 'ready again']))
})

test('[N5] a node that refuses CLUSTER SLOTS is no outage once the map is known', async () => {
  const { pub, ask, reported } = await commands()
  const [first, second] = nodes()
  const slot = Number(await sendToRedis(first, 'CLUSTER', 'KEYSLOT', 'moved'))
  await sendToRedis(first, 'ACL', 'SETUSER', 'default', '-cluster|slots')
  onTestFinished(async () => void (await sendToRedis(first, 'ACL', 'SETUSER', 'default', '+@all')))
  for (const node of [second, first]) {
    await cluster.moveSlot(slot, node)
    expect(await ask('GET', ['moved'])).toBeNull()
  }
  expect([pub.isUp, reported]).toEqual([true, []])
})
