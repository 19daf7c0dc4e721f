import { eventually, spawnInstance, startTcpProxy, type Instance } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { freshClient, reconnected, record } from '../src/testing/coordination-under-test.ts'
import { startInstance, useRedis } from './cluster.ts'

const server = useRedis()

/** An instance in a process of its own, which joins rooms by calls. */
async function startProcess(prefix: string, times: Record<string, number>): Promise<Instance> {
  const env = { COORDINATION: JSON.stringify({ url: server.redis.url, prefix, ...times }) }
  const instance = await spawnInstance(new URL('member-instance.ts', import.meta.url), { env })
  onTestFinished(() => instance.kill())
  return instance
}

test('[P3] members of a stalled instance stay, those of a killed one are removed', async () => {
  const { prefix, keys } = server.prefix()
  const times = { heartbeatMs: 250, leaseMs: 2_000, graceMs: 300 }
  const stalling = await startProcess(prefix, times)
  const { coordination } = await startInstance({ url: server.redis.url, prefix }, times)
  const seen = await record(coordination.members('a'))
  const id = String(await stalling.call('join', 'a', freshClient()))
  await seen.until(() => seen.view.members.has(id))
  const lease = String(await stalling.call('lease'))
  const expiry = async (): Promise<number> => Number(await server.client.zscore(`{${prefix}$instances:all}$leases`, lease))
  stalling.pause()
  const atPause = await expiry()
  // Until a third of the lease is left, by Redis' clock.
  await eventually(async () => {
    const [seconds, microseconds] = (await server.client.time()).map(Number)
    expect((seconds ?? 0) * 1_000 + (microseconds ?? 0) / 1_000).toBeGreaterThan(atPause - times.leaseMs / 3)
  })
  stalling.resume()
  await eventually(async () => expect(await expiry()).toBeGreaterThan(atPause))
  expect([seen.left, await stalling.call('lease')]).toEqual([[], lease])
  await stalling.kill()
  await seen.until(() => seen.left.length > 0)
  expect(seen.left).toEqual([id])
  await eventually(async () => expect(await keys()).toEqual([`{${prefix}$instances:all}$leases`]))
})

test('[P3] an instance stalled past its lease writes nothing, its members return', async () => {
  const { prefix, keys } = server.prefix()
  const times = { heartbeatMs: 100, leaseMs: 600, graceMs: 300 }
  const stalling = await startProcess(prefix, times)
  const { coordination } = await startInstance({ url: server.redis.url, prefix }, times)
  const seen = await record(coordination.members('a'))
  const id = String(await stalling.call('join', 'a', freshClient()))
  const lease = String(await stalling.call('lease'))
  await seen.until(() => seen.view.members.has(id))
  stalling.pause()
  // Is executed when the process continues, before its heartbeat.
  const joined = stalling.call('join', 'b', freshClient())
  await seen.until(() => seen.left.includes(id))
  await eventually(async () => expect(await keys()).not.toContain(`{${prefix}$instance:${lease}}$holds`))
  stalling.resume()
  await joined
  await seen.until(() => seen.view.members.has(id))
  const next = String(await stalling.call('lease'))
  expect(next).not.toBe(lease)
  expect(await keys()).not.toContain(`{${prefix}$instance:${lease}}$holds`)
  const records = [
    ...(await server.client.hvals(`{${prefix}$room:a}$members`)),
    ...(await server.client.hvals(`{${prefix}$room:b}$members`)),
  ]
  expect(records.map((text) => text.split(' ')[0])).toEqual([next, next])
})

test('[P3] an instance whose connection for commands hangs keeps its lease and members', async () => {
  const { prefix } = server.prefix()
  const times = { heartbeatMs: 100, leaseMs: 4_000 }
  const proxy = await startTcpProxy(server.redis)
  onTestFinished(() => proxy.close())
  const hanging = await startInstance({ host: proxy.host, port: proxy.port, prefix }, times)
  const other = await startInstance({ url: server.redis.url, prefix }, times)
  const client = freshClient()
  await hanging.coordination.members('a').join(client, 1)
  const lease = hanging.coordination.instance.id
  const seen = await record(other.coordination.members('a'))
  proxy.connections.find(({ sent }) => sent.includes(`${hanging.pubsub.instanceId}:pub`))?.stall()
  await hanging.coordination
    .members('a')
    .update(client.connectionId, 2)
    .catch(() => {})
  await eventually(() => hanging.coordination.members('a').update(client.connectionId, 3))
  await seen.until(() => [...seen.view.members.values()].some(({ info }) => info === 3))
  expect([seen.left, hanging.coordination.instance.id]).toEqual([[], lease])
})

test('[P2] a reconnect that fails without Redis is repeated as the same member', async () => {
  const { prefix } = server.prefix()
  const times = { leaseMs: 5_000, graceMs: 10_000 }
  const proxy = await startTcpProxy(server.redis)
  onTestFinished(() => proxy.close())
  const away = await startInstance({ host: proxy.host, port: proxy.port, prefix }, times)
  const other = await startInstance({ url: server.redis.url, prefix }, times)
  const members = away.coordination.members('a')
  const seen = await record(other.coordination.members('a'))
  const client = freshClient()
  const { id } = await members.join(client, 1)
  members.disconnect(client.connectionId)
  const again = reconnected(client)
  await other.coordination.members('a').join(freshClient())
  const requests: string[] = []
  await other.pubsub.link.subscribe('$room:a', (text) => void requests.push(text)).ready
  proxy.refuse()
  await eventually(() => expect(members.join(again, 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' }))
  proxy.flow()
  // It has read the room again, and what it writes after that removes nothing.
  await eventually(() => expect(requests).toContain(`w ${away.pubsub.instanceId}`))
  await away.pubsub.link.command('PING')
  await away.pubsub.link.command('PING')
  expect((await eventually(() => members.join(again, 3))).id).toBe(id)
  await seen.until(() => seen.view.members.get(id)?.info === 3)
  expect(seen.left).toEqual([])
})

test('[P3] connections that are cut again and again lose no member', async () => {
  const { prefix } = server.prefix()
  const proxy = await startTcpProxy(server.redis)
  onTestFinished(() => proxy.close())
  const cut = await startInstance({ host: proxy.host, port: proxy.port, prefix })
  const other = await startInstance({ url: server.redis.url, prefix })
  const [here, there] = [cut.coordination.members('a'), other.coordination.members('a')]
  const seen = [await record(here), await record(there)]
  const clients = Array.from({ length: 8 }, () => freshClient())
  const ids = new Set<string>()
  for (const [n, client] of clients.entries()) {
    const members = n % 2 === 0 ? here : there
    proxy.cut()
    // The same call again is harmless.
    ids.add((await eventually(() => members.join(client, n))).id)
  }
  for (const { view, left, until } of seen) {
    await until(() => [...ids].every((id) => view.members.has(id)))
    expect(left).toEqual([])
    await until(() => view.count === clients.length)
  }
})
