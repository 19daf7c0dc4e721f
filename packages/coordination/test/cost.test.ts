import { expect, test } from 'vitest'
import { freshClient, reconnected, record } from '../src/testing/coordination-under-test.ts'
import { startInstance, useRedis } from './cluster.ts'
import { commandsOf as countCommands, heartbeatsOf } from './commands-of.ts'

const server = useRedis()
/** Without heartbeats during the test. */
const QUIET = { heartbeatMs: 60_000, leaseMs: 180_000 }
const commandsOf = (work: () => Promise<unknown>) => countCommands(server.client, work)

test('[N1] an instance uses the two connections of its link', async () => {
  const { prefix } = server.prefix()
  const { coordination, pubsub } = await startInstance({ url: server.redis.url, prefix })
  await coordination.members('a').join(freshClient())
  const clients = String(await server.client.client('LIST')).split('\n')
  const own = clients.filter((line) => line.includes(pubsub.instanceId))
  expect(own).toHaveLength(2)
  // What writes is sent over one of them; the other one only subscribes.
  expect(own.filter((line) => / sub=[1-9]/.test(line))).toHaveLength(1)
})

test('a join, an update and a leave are one script each, a first join is two', async () => {
  const { prefix } = server.prefix()
  const { coordination } = await startInstance({ url: server.redis.url, prefix }, QUIET)
  const other = await startInstance({ url: server.redis.url, prefix }, QUIET)
  const members = coordination.members('a')
  const seen = await record(members)
  const [first, second] = [freshClient(), freshClient()]
  expect(await commandsOf(() => members.join(first))).toEqual({ evalsha: 2, sadd: 1, publish: 1 })
  expect(await commandsOf(() => members.join(second))).toEqual({ evalsha: 1, publish: 1 })
  const again = reconnected(second)
  expect(await commandsOf(() => members.join(again))).toEqual({ evalsha: 1 })
  expect(await commandsOf(() => members.update(again.connectionId, 1))).toEqual({ evalsha: 1, publish: 1 })
  expect(await commandsOf(() => members.leave(again.connectionId))).toEqual({ evalsha: 1, publish: 1 })
  // A new view on another instance: one subscription, one read, and one request for cursors.
  const viewed = await commandsOf(async () => {
    await record(other.coordination.members('a'))
    // Follows the request on the same connection.
    await other.pubsub.link.command('PING')
  })
  expect(viewed).toEqual({ subscribe: 1, evalsha: 1, publish: 1 })
  expect(await commandsOf(() => record(members))).toEqual({})
  expect(seen.view.count).toBe(1)
})

test.each([2, 10])('the cost does not grow with members: %i instances, 1,000 members', async (instances) => {
  const { prefix } = server.prefix()
  const started = await Promise.all(Array.from({ length: instances }, () => startInstance({ url: server.redis.url, prefix }, QUIET)))
  const rooms = started.map(({ coordination }) => coordination.members('a'))
  const seen = await Promise.all(rooms.map((room) => record(room)))
  const clients = Array.from({ length: 999 }, () => freshClient())
  await Promise.all(clients.map(async (client, n) => rooms[n % instances]?.join(client)))
  const [room] = rooms
  if (room === undefined) throw new Error('There are several.')
  const last = freshClient()
  expect(await commandsOf(() => room.join(last, 1))).toEqual({ evalsha: 1, publish: 1 })
  expect(await commandsOf(() => room.update(last.connectionId, 2))).toEqual({ evalsha: 1, publish: 1 })
  await Promise.all(seen.map(({ view, until }) => until(() => view.count === 1_000)))
  expect(await commandsOf(() => room.leave(last.connectionId))).toEqual({ evalsha: 1, publish: 1 })
  // Renewals: one script for each instance.
  expect(await commandsOf(() => Promise.all(started.map(({ pubsub }) => pubsub.link.command('PING'))))).toEqual({})
  const clientList = String(await server.client.client('LIST')).split('\n')
  for (const { pubsub } of started) expect(clientList.filter((line) => line.includes(pubsub.instanceId))).toHaveLength(2)
})

test.each([2, 10])('a command is one script, and one reply of each other instance: %i instances', async (instances) => {
  const { prefix } = server.prefix()
  const started = await Promise.all(Array.from({ length: instances }, () => startInstance({ url: server.redis.url, prefix }, QUIET)))
  const [first] = started
  if (first === undefined) throw new Error('There are several.')
  for (const { coordination } of started) coordination.commands.handle(() => 'applied')
  await Promise.all(started.map(({ coordination }) => coordination.commands.ready))
  const { commands } = first.coordination
  const call = { timeoutMs: 5_000, confirm: true }
  // What the start of the instances still reads comes first.
  await commands.send('warm up', call)
  await Promise.all(started.map(({ pubsub }) => pubsub.link.command('PING')))
  expect(await commandsOf(() => commands.send('a', call))).toEqual({ evalsha: 1, publish: instances })
  expect(await commandsOf(() => commands.send('a', { ...call, confirm: false }))).toEqual({ evalsha: 1, publish: 1 })
})

test('an idle instance sends one script per heartbeat', async () => {
  const { prefix } = server.prefix()
  const { coordination } = await startInstance({ url: server.redis.url, prefix })
  await coordination.members('a').join(freshClient())
  const commands = await commandsOf(() => heartbeatsOf(server.client, prefix, coordination.instance.id, 5))
  expect(commands).toEqual({ evalsha: expect.toSatisfy((count: number) => count === 5 || count === 6) })
})
