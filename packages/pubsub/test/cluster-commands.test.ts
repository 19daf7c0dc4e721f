import { redisOptions } from '@tutti/pubsub/redis'
import { askRedis, eventually, startRedisCluster, type TestRedis } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createRedisCluster } from '../src/redis/cluster/redis-cluster.ts'
import { createEndOfTurn } from '../src/redis/end-of-turn.ts'
import { promised } from '../src/redis/script.ts'

// The commands to a Cluster by themselves, where moments count that no user sees.
let cluster: Awaited<ReturnType<typeof startRedisCluster>>
beforeAll(async () => {
  cluster = await startRedisCluster()
})
afterAll(() => cluster.stop())

/** Commands to all three nodes, ready; `told`: what they told, `cut` ends the connection to a node and settles when it is back. */
async function commands() {
  const clients = new Map<number, Redis>()
  const told: string[] = []
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
    onReady: (again) => told.push(again ? 'ready again' : 'ready'),
    onLost: () => told.push('lost'),
    ...{ onMap: () => {}, onBreaker: () => {}, onTime: () => {}, onError: () => {} },
  })
  onTestFinished(() => pub.close())
  await eventually(() => expect(told).toEqual(['ready']))
  told.length = 0
  const cut = async ({ port }: TestRedis): Promise<void> => {
    const client = clients.get(port)
    if (client === undefined) throw new Error('Nobody is connected to it.')
    const back = once(client, 'ready')
    client.stream.destroy()
    await back
  }
  return { pub, ask: promised(pub.send), told, cut }
}

const nodes = (): readonly [TestRedis, TestRedis, TestRedis] => {
  const [a, b, c] = cluster.nodes
  if (a === undefined || b === undefined || c === undefined) throw new Error('There are three.')
  return [a, b, c]
}

/** Freezes a node until it is told otherwise, or the test ends. */
function freeze(node: TestRedis): () => void {
  node.pause()
  onTestFinished(() => node.resume())
  return () => node.resume()
}

test('[N6] a Cluster is there again when it has said so: whoever asks before is not told of the same absence twice', async () => {
  const { pub, told, cut } = await commands()
  const [first, , third] = nodes()
  // It is the first to be asked for the map.
  const goOn = freeze(first)
  await cut(third)
  expect([pub.isUp, told]).toEqual([false, ['lost']])
  goOn()
  await eventually(() => expect([pub.isUp, told.at(-1)]).toEqual([true, 'ready again']))
})

test('[N6] a node that comes back while another is asked whether the Cluster is down is not forgotten', async () => {
  const { pub, ask, told, cut } = await commands()
  const [first, second, third] = nodes()
  const slot = Number(await askRedis(first, 'CLUSTER', 'KEYSLOT', 'a'))
  await askRedis(third, 'CLUSTER', 'DELSLOTS', slot)
  await expect(ask('GET', ['a'])).rejects.toMatchObject({ message: expect.stringContaining('CLUSTERDOWN') })
  await askRedis(third, 'CLUSTER', 'ADDSLOTS', slot)
  await cluster.serving()
  const goOn = freeze(third)
  await cut(second)
  goOn()
  await eventually(() => expect([pub.isUp, told.at(-1)]).toEqual([true, 'ready again']))
})

test('[N5] a node that may not be asked for the map is no absence once the map is known', async () => {
  const { pub, ask, told } = await commands()
  const [first, second] = nodes()
  const slot = Number(await askRedis(first, 'CLUSTER', 'KEYSLOT', 'moved'))
  await askRedis(first, 'ACL', 'SETUSER', 'default', '-cluster|slots')
  onTestFinished(async () => void (await askRedis(first, 'ACL', 'SETUSER', 'default', '+@all')))
  for (const node of [second, first]) {
    await cluster.moveSlot(slot, node)
    expect(await ask('GET', ['moved'])).toBeNull()
  }
  expect([pub.isUp, told]).toEqual([true, []])
})
