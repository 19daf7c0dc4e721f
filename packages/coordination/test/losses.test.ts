import { eventually, startTcpProxy } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { freshClient, reconnected, record } from '../src/testing/coordination-under-test.ts'
import { startInstance, useRedis } from './cluster.ts'

const server = useRedis()

test('[P2] a client in its grace returns as the same member after a loss of data', async () => {
  const { prefix } = server.prefix()
  const times = { graceMs: 60_000 }
  const [first, second] = await Promise.all([1, 2].map(() => startInstance({ url: server.redis.url, prefix }, times)))
  if (first === undefined || second === undefined) throw new Error('Two instances were started.')
  const members = first.coordination.members('a')
  const [client, companion] = [freshClient(), freshClient()]
  const { id } = await members.join(client, 1)
  await members.join(companion, 2)
  const seen = await record(second.coordination.members('a'))
  members.disconnect(client.connectionId)
  await server.redis.restart()
  // The client may be a member of another instance by now, which is not announced: its former one does not write it again.
  await eventually(async () => {
    const stored = await server.client.hvals(`{${prefix}$room:a}$members`)
    expect(stored.map((text) => text.split(' ')[1])).toEqual([companion.connectionId])
  })
  await first.pubsub.link.command('PING')
  expect(await server.client.hlen(`{${prefix}$room:a}$members`)).toBe(1)
  expect((await eventually(() => second.coordination.members('a').join(reconnected(client), 1))).id).toBe(id)
  expect(seen.left).toEqual([])
})

test('[P2] after a loss of data a client returns as the same member to any instance', async () => {
  const { prefix } = server.prefix()
  const proxy = await startTcpProxy(server.redis)
  onTestFinished(() => proxy.close())
  const times = { graceMs: 60_000, leaseMs: 5_000 }
  const away = await startInstance({ host: proxy.host, port: proxy.port, prefix }, times)
  const other = await startInstance({ url: server.redis.url, prefix }, times)
  const client = freshClient()
  const { id } = await away.coordination.members('a').join(client, 1)
  const seen = await record(other.coordination.members('a'))
  away.coordination.members('a').disconnect(client.connectionId)
  proxy.refuse()
  await server.redis.restart()
  const again = reconnected(client)
  expect((await eventually(() => other.coordination.members('a').join(again, 1))).id).toBe(id)
  // Its former instance changes nothing when it has Redis again.
  const former = await record(away.coordination.members('a'))
  proxy.flow()
  await other.coordination.members('a').update(again.connectionId, 2)
  await former.until(() => former.view.members.get(id)?.info === 2)
  await eventually(() => away.pubsub.link.command('PING'))
  await away.pubsub.link.command('PING')
  await other.pubsub.link.command('PING')
  expect([seen.left, former.left, seen.view.count]).toEqual([[], [], 1])
})

test('[P2] a client whose instance ended after a loss of data has its grace', async () => {
  const { prefix } = server.prefix()
  const proxy = await startTcpProxy(server.redis)
  onTestFinished(() => proxy.close())
  const times = { graceMs: 60_000, leaseMs: 600 }
  const ended = await startInstance({ host: proxy.host, port: proxy.port, prefix }, times)
  const other = await startInstance({ url: server.redis.url, prefix }, times)
  const [client, companion] = [freshClient(), freshClient()]
  const { id } = await ended.coordination.members('a').join(client, 1)
  const members = other.coordination.members('a')
  await members.join(companion, 2)
  const seen = await record(members)
  await seen.until(() => seen.view.count === 2)
  proxy.refuse()
  await server.redis.restart()
  await eventually(async () => {
    const [, born = ''] = ((await server.client.get(`{${prefix}$room:a}$version`)) ?? '').split(' ')
    const [seconds = 0, microseconds = 0] = (await server.client.time()).map(Number)
    expect(seconds * 1e6 + microseconds - Number(born || Infinity)).toBeGreaterThan(2 * times.leaseMs * 1_000)
  })
  const late = await record((await startInstance({ url: server.redis.url, prefix }, times)).coordination.members('a'))
  expect(late.view.settlingMs).toBeGreaterThan(0)
  expect((await members.join(reconnected(client), 1)).id).toBe(id)
  expect([seen.left, seen.view.count]).toEqual([[], 2])
})

test('[P2] a leave of a client does not end its next membership on another instance', async () => {
  const { prefix } = server.prefix()
  const proxy = await startTcpProxy(server.redis)
  onTestFinished(() => proxy.close())
  const times = { leaseMs: 5_000 }
  const first = await startInstance({ url: server.redis.url, prefix }, times)
  const second = await startInstance({ host: proxy.host, port: proxy.port, prefix }, times)
  const [here, there] = [first.coordination.members('a'), second.coordination.members('a')]
  const seen = await record(there)
  const client = freshClient()
  await here.join(client, 1)
  await seen.until(() => seen.view.count === 1)
  const subscriber = proxy.connections.find(({ sent }) => sent.includes(`${second.pubsub.instanceId}:sub`))
  // The messages about the leave and the join arrive after the reply to the join.
  subscriber?.stall('down')
  await here.leave(client.connectionId)
  const again = reconnected(client)
  const joined = there.join(again, 2)
  await eventually(async () => expect(await server.client.hlen(`{${prefix}$room:a}$members`)).toBe(1))
  await second.pubsub.link.command('PING')
  subscriber?.flow()
  const { id } = await joined
  await there.update(again.connectionId, 3)
  await seen.until(() => seen.view.members.get(id)?.info === 3)
})

test('[P6] a member that was listed later stays listed after a loss of data', async () => {
  const { prefix } = server.prefix()
  const start = () => startInstance({ url: server.redis.url, prefix }, { maxMembers: 1, overflow: 'count' })
  const [first, second] = [await start(), await start()]
  const [here, there] = [first.coordination.members('a'), second.coordination.members('a')]
  const [ann, bob] = [freshClient('ann'), freshClient('bob')]
  await here.join(ann, 1)
  const { id } = await there.join(bob, 2)
  const seen = await record(here)
  await here.leave(ann.connectionId)
  await seen.until(() => seen.view.members.has(id))
  await server.redis.restart()
  const stored = () => server.client.hvals(`{${prefix}$room:a}$members`)
  await eventually(async () => expect((await stored()).map((text) => text.split(' ')[4])).toEqual(['l']))
  await eventually(() => there.update(bob.connectionId, 3))
  await seen.until(() => seen.view.members.get(id)?.info === 3)
  expect(seen.left).toHaveLength(1)
})
