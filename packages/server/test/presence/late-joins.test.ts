import { createRedisCoordination } from '@tutti/coordination'
import { RealtimePubSub } from '@tutti/pubsub'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { eventually, startRedis, startTcpProxy, type TcpProxy } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { serve, type Served } from '../serve.ts'

const TIMES = { heartbeatMs: 200, leaseMs: 1_200, graceMs: 300 }

/** A Redis with servers, each through a proxy of its own. */
async function cluster(size: number): Promise<{ server: Served; proxy: TcpProxy }[]> {
  const redis = await startRedis()
  const started: { server: Served; proxy: TcpProxy }[] = []
  onTestFinished(async () => {
    for (const { server, proxy } of started) {
      proxy.flow()
      await server.close()
      await proxy.close()
    }
    await redis.stop()
  })
  for (let count = 0; count < size; count += 1) {
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: redis.port })
    const pubsub = new RealtimePubSub({ url: `redis://127.0.0.1:${proxy.port}`, onError: () => {} })
    const coordination = createRedisCoordination(pubsub.link, { ...TIMES, instanceId: pubsub.instanceId, onError: () => {} })
    const server = await serve({ pubsub, coordination, state: reactiveRedisDriver({ pubsub }), onError: () => {} })
    started.push({ server: { ...server, close: () => server.close().then(() => pubsub.dispose()) }, proxy })
  }
  return started
}

test('[P2] a join that waits while its connection ends, then fails, leaves no member', async () => {
  const [first, second] = await cluster(2)
  if (first === undefined || second === undefined) throw new Error('not started')
  const { server, proxy } = first
  const client = await server.connect({ auth: { clientId: 'a' } })
  await client.request('presence:join', { room: 'doc:1', info: 1 })
  expect(await second.server.realtime.presence.count('doc:1')).toBe(1)
  proxy.stall()
  client.socket.emit('presence:update', { room: 'doc:1', info: 2 })
  client.socket.emit('presence:join', { room: 'doc:1', info: 3 })
  await client.send('room:leave', { room: 'doc:1' })
  client.socket.disconnect()
  await eventually(() => expect(server.realtime.io.engine.clientsCount).toBe(0))
  // The update fails, and then the join.
  proxy.refuse()
  await new Promise((resolve) => setTimeout(resolve, 100))
  proxy.flow()
  await eventually(async () => expect(await second.server.realtime.presence.count('doc:1')).toBe(0), { timeoutMs: 10_000 })
})

test('[P4] an instance whose link stalls does not report members as gone', async () => {
  const [first, second] = await cluster(2)
  if (first === undefined || second === undefined) throw new Error('not started')
  const [ada, bob] = [await first.server.connect({ auth: { clientId: 'a' } }), await first.server.connect({ auth: { clientId: 'b' } })]
  // The second instance has a copy of a room that one of its clients observes.
  await (await second.server.connect()).request('presence:subscribe', { room: 'doc:1' })
  await ada.request('presence:join', { room: 'doc:1' })
  await eventually(async () => expect(await second.server.realtime.presence.count('doc:1')).toBe(1))
  // A room and an instance that are new may have members that are yet to be written.
  await new Promise((resolve) => setTimeout(resolve, 2.5 * TIMES.leaseMs))
  second.proxy.stall()
  const { id } = await bob.request('presence:join', { room: 'doc:1' })
  expect(await first.server.realtime.presence.count('doc:1')).toBe(2)
  await new Promise((resolve) => setTimeout(resolve, 2 * TIMES.heartbeatMs))
  const page = await (await second.server.connect()).request('presence:subscribe', { room: 'doc:1' })
  const ids = 'members' in page ? (page.members ?? []).map((member) => member.id) : []
  // With `settlingMs` its client keeps the member.
  expect({ hasBob: ids.includes(id) || (page.settlingMs ?? 0) > 0 }).toEqual({ hasBob: true })
})
