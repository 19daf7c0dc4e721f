import { createRequire } from 'node:module'
import { eventually, spawnInstance, startRedis, type TestRedis } from '@tutti/test-kit'
import { RealtimeError } from '@tutti/protocol'
import { MemoryPubSub, RealtimePubSub } from '@tutti/pubsub'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createRedisAdapter } from '../../src/redis-adapter/index.ts'
import { witness } from '../redis-witness.ts'
import { serveOnSocketIo } from '../socket-io-server.ts'
import { connectTo, serveMember, serveMembers } from './members.ts'

// What outages, other applications and other processes do to the adapter.

let redis: TestRedis
let lastPrefix = 0
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const place = () => ({ url: redis.url, prefix: `run${(lastPrefix += 1)}` })

/** Numbers in ascending order. */
const compare = (a: unknown, b: unknown): number => Number(a) - Number(b)

/** A client without the two connections of an instance. */
function observer(): Redis {
  const client = new Redis(redis.url)
  onTestFinished(() => client.disconnect())
  return client
}

test('[R4] after all connections to Redis were killed, every call works again', async () => {
  const { servers, ends, members } = await serveMembers(2, place())
  const [io] = servers
  if (!io) throw new Error('two')
  const gaps = members.map(({ pubsub }) => new Promise<void>((resolve) => void pubsub.onGap(resolve)))
  const killing = observer()
  await killing.client('KILL', 'TYPE', 'pubsub')
  await killing.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await Promise.all(gaps)
  io.socketsJoin('again')
  expect(await io.fetchSockets()).toHaveLength(2)
  io.to('again').emit('test', 1)
  servers[1]?.emit('test', 2)
  await eventually(() =>
    expect(ends.map(({ client }) => client.of('test').toSorted(compare))).toEqual([
      [1, 2],
      [1, 2],
    ]),
  )
  servers[1]?.on('hello', (reply: (text: string) => void) => reply('yes'))
  expect(await io.serverSideEmitWithAck('hello')).toEqual(['yes'])
})

test('[R4] in an outage local sockets are served, and other calls end with an error', async () => {
  const own = await startRedis()
  onTestFinished(() => own.stop())
  const { servers, ends, members } = await serveMembers(2, { url: own.url }, { requestsTimeoutMs: 100 })
  const [io] = servers
  if (!io) throw new Error('two')
  const lost = new Promise<void>((resolve) => void members[0]?.pubsub.onStatus((status) => status === 'unavailable' && resolve()))
  await own.kill()
  await lost
  io.emit('test', 'local')
  io.serverSideEmit('hello')
  io.socketsJoin('lost')
  await eventually(() => expect(ends.map(({ client }) => client.of('test'))).toEqual([['local'], []]))
  await expect(io.fetchSockets()).rejects.toThrow('timeout reached')
  await expect(io.serverSideEmitWithAck('hello')).rejects.toThrow('timeout reached')
  ends[0]?.client.socket.on('ask', (reply: (value: number) => void) => reply(1))
  await eventually(() => expect(io.timeout(100).emitWithAck('ask')).rejects.toMatchObject({ responses: [1] }))
  expect(await io.local.fetchSockets()).toHaveLength(1)
  expect(members.flatMap(({ errors }) => errors)).toEqual([])
})

test('[R4] two applications with different prefixes on one Redis do not meet', async () => {
  const [one, other] = [await serveMembers(1, place()), await serveMembers(1, place())]
  const [io] = one.servers
  if (!io) throw new Error('one')
  io.emit('test', 'mine')
  other.servers[0]?.emit('test', 'theirs')
  await eventually(() => expect(one.ends[0]?.client.of('test')).toEqual(['mine']))
  expect(await io.fetchSockets()).toHaveLength(1)
  await eventually(() => expect(other.ends[0]?.client.of('test')).toEqual(['theirs']))
})

test('[R4] a killed instance leaves nothing in Redis', async () => {
  const at = place()
  const env = { REDIS_PLACE: JSON.stringify(at), ADAPTER: '1', QUIET: '1' }
  const killed = await spawnInstance(new URL('../instance.ts', import.meta.url), { env })
  const member = await serveMember(at)
  const { client } = await connectTo(member)
  expect(await member.pubsub.link.countSubscribers('$io-request#/#')).toBe(2)
  await killed.call('emit', 'test', 'last words')
  await eventually(() => expect(client.of('test')).toEqual(['last words']))
  await killed.kill()
  const inspecting = observer()
  await eventually(async () => expect(await inspecting.pubsub('CHANNELS', `${at.prefix}:$io*`)).toHaveLength(3))
  expect(await member.pubsub.link.countSubscribers('$io-request#/#')).toBe(1)
  expect(await member.io.fetchSockets()).toHaveLength(1)
  expect(await inspecting.keys(`*$io*`)).toEqual([])
})

test('[R4] a process without Socket.IO emits with the format of redis-emitter', async () => {
  const at = place()
  const { ends } = await serveMembers(2, at)
  await ends[1]?.socket.join('room')
  const { encode } = createRequire(createRequire(import.meta.url).resolve('@socket.io/redis-adapter'))('notepack.io') as {
    encode(message: unknown): Buffer
  }
  const pubsub = new RealtimePubSub(at)
  onTestFinished(() => pubsub.dispose())
  const packet = { type: 2, data: ['test', 'from outside'], nsp: '/' }
  await pubsub.link.publish('$io#/#room#', encode(['emitter', packet, { rooms: ['room'], except: [], flags: {} }]))
  await eventually(() => expect(ends[1]?.client.of('test')).toEqual(['from outside']))
  expect(ends[0]?.client.of('test')).toEqual([])
})

test('[R4] messages that no instance sent are reported, and change nothing', async () => {
  const at = place()
  const { members, ends, servers } = await serveMembers(2, at)
  const publisher = observer()
  const rubbish = ['', '{}', '{"type":5}', '{"type":0,"rooms":5}', '{"type":3,"opts":{}}', 'null', '[]', '{', '\u00ff', '{"type":9}']
  for (const channel of ['$io#/#', '$io-request#/#', '$io-response#/#', '$io#/#x#'])
    for (const text of rubbish) await publisher.publish(`${at.prefix}:${channel}`, text)
  servers[0]?.emit('test', 1)
  await eventually(() => expect(ends.map(({ client }) => client.of('test'))).toEqual([[1], [1]]))
  expect(await servers[0]?.fetchSockets()).toHaveLength(2)
  expect(members[1]?.errors.length).toBeGreaterThan(0)
})

test('[R4] state, events and rooms of Tutti do not use the adapter', async () => {
  const { members } = await serveMembers(2, place())
  const watching = await witness(redis)
  onTestFinished(() => watching.close())
  const [one] = members
  if (!one) throw new Error('two')
  await one.realtime.state.set('k', 1)
  await one.realtime.events.publish('news', 1)
  await one.realtime.rooms.join({ all: true }, 'room')
  await one.realtime.rooms.broadcast('room', 'n', 1)
  await one.realtime.broadcast('n', 1)
  const own = [...(await watching.touched())]
  expect(own.filter((name) => name.includes('$io'))).toEqual([])
  expect(own.filter((name) => name.endsWith(':$rooms'))).toHaveLength(1)
  one.io.emit('x')
  await eventually(async () => expect([...(await watching.touched())].join(' ')).toContain('$io#/#'))
})

test('[R4] a Socket.IO server of the application has the adapter until it closes', async () => {
  const at = place()
  const serveOwn = async () => {
    const pubsub = new RealtimePubSub(at)
    return { ...(await serveOnSocketIo({ adapter: createRedisAdapter(pubsub) }, { pubsub })), pubsub }
  }
  const [near, far] = [await serveOwn(), await serveOwn()]
  await Promise.all([near.pubsub.link.ready, far.pubsub.link.ready])
  const { client, socket } = await far.connect()
  await socket.join('room')
  near.io.to('room').emit('test', 1)
  await eventually(() => expect(client.of('test')).toEqual([1]))
  // As at the end of an application: the server closes after its `pubsub`.
  await near.pubsub.dispose()
  near.io.emit('test', 'not sent')
  await near.io.of('/').adapter.close()
  await eventually(async () => expect(await far.pubsub.link.countSubscribers('$io-request#/#')).toBe(1))
  expect(await far.io.fetchSockets()).toHaveLength(1)
})

test('[R4] a broadcast is one command, a request is one and a reply of each other', async () => {
  const { servers } = await serveMembers(3, place())
  const [io] = servers
  if (!io) throw new Error('three')
  const client = observer()
  /** The commands of the adapters during the work, with those that follow it on the same connection. */
  const commandsOf = async (work: () => unknown): Promise<Record<string, number>> => {
    await client.config('RESETSTAT')
    await work()
    const stats = await client.info('commandstats')
    return Object.fromEntries(
      [...stats.matchAll(/cmdstat_(publish|pubsub\|numsub):calls=(\d+)/g)].map(([, name = '', n]) => [name, Number(n)]),
    )
  }
  const end = (): Promise<unknown> => Promise.all(servers.map((server) => server.fetchSockets()))
  const endCost = { publish: 9, 'pubsub|numsub': 3 }
  expect(await commandsOf(end)).toEqual(endCost)
  const calls = [() => io.emit('x'), () => io.to('a').to('b').emit('x'), () => io.socketsJoin('a'), () => io.serverSideEmit('x')]
  for (const call of calls) {
    const commands = await commandsOf(async () => {
      call()
      await end()
    })
    expect(commands).toEqual({ ...endCost, publish: endCost.publish + 1 })
  }
})

test('[R4] the adapter requires a RealtimePubSub', () => {
  const pubsub: object = new MemoryPubSub()
  expect(() => createRedisAdapter(pubsub as RealtimePubSub)).toThrow(RealtimeError)
})
