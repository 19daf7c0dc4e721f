import { documentedAcl, eventually, startRedis, type TestRedis } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import type { Server } from 'socket.io'
import { io as connectClient, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { serveMember, serveMembers, type Ends } from './members.ts'

// The calls of Socket.IO across three instances, under the documented ACL.

let redis: TestRedis
let lastPlace = 0
const acl = documentedAcl('acl-socket-io')

/** A prefix for each test. The first has the documented rights and no others. */
const PREFIXES = ['tutti', ...Array.from({ length: 20 }, (_, run) => `run${run + 1}`)]
const rightsOf = (prefix: string): string => `~{${prefix}$*}$* ~${prefix}$* &${prefix}:* &${prefix}:$io#/#* &${prefix}:$io#/custom#*`

beforeAll(async () => {
  const users = acl.users.replace(/^user tutti.*$/m, (line) => [line, ...PREFIXES.slice(1).map(rightsOf)].join(' '))
  redis = await startRedis({ users })
})
afterAll(() => redis.stop())

const place = () => ({ url: redis.url.replace('//', `//${acl.credentials}@`), prefix: PREFIXES[lastPlace++] })

/** Sends the last message of a test to all, and returns what each client received before it. */
async function received(io: Server, ends: readonly Ends[], name = 'test'): Promise<unknown[][]> {
  io.emit('end')
  await eventually(() => expect(ends.map(({ client }) => client.of('end').length)).toEqual(ends.map(() => 1)))
  return ends.map(({ client }) => client.of(name))
}

/** Numbers in ascending order. */
const compare = (a: unknown, b: unknown): number => Number(a) - Number(b)

const first = <T>([one]: readonly T[]): T => {
  if (one === undefined) throw new Error('none')
  return one
}

test('[R4] a broadcast reaches the clients of all instances, bytes included', async () => {
  const { servers, ends } = await serveMembers(3, place())
  first(servers).emit('test', { text: 'ü', bytes: Buffer.from([3, 0xff]) })
  const message = { text: 'ü', bytes: Buffer.from([3, 0xff]) }
  expect(await received(first(servers), ends)).toEqual([[message], [message], [message]])
})

test('[R4] a broadcast to rooms reaches each member once, without the excepted', async () => {
  const { servers, ends } = await serveMembers(3, place())
  const [io] = servers
  const [a, b, c] = ends
  if (!io || !a || !b || !c) throw new Error('three')
  await a.socket.join(['one', 'two'])
  await b.socket.join(['one', 'two', 'three'])
  await c.socket.join('one')
  io.to('one').emit('test', 1)
  io.except('three').emit('test', 2)
  io.to('one').to('two').except('three').emit('test', 3)
  io.in('three').emit('test', 4)
  io.to(c.id).emit('test', 5)
  io.local.emit('test', 6)
  a.socket.to('two').emit('test', 7)
  io.to('none').emit('test', 8)
  Reflect.apply(Reflect.get(c.socket, 'join'), c.socket, [123])
  Reflect.apply(Reflect.get(io, 'to'), io, [123]).emit('test', 9)
  expect(await received(io, ends)).toEqual([
    [1, 2, 3, 6],
    [1, 4, 7],
    [1, 2, 3, 5, 9],
  ])
})

test('[R4] a namespace that the application adds has broadcasts of its own', async () => {
  const { servers, members, ends } = await serveMembers(3, place())
  for (const io of servers) io.of('/custom').on('connection', (socket) => socket.join('here'))
  const sockets: Socket[] = members.map(({ url }) => connectClient(`${url}/custom`, { transports: ['websocket'], forceNew: true }))
  onTestFinished(() => sockets.forEach((socket) => socket.disconnect()))
  await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.once('connect', resolve))))
  const heard: number[] = []
  for (const [index, socket] of sockets.entries()) socket.on('test', () => heard.push(index))
  await eventually(async () => expect(await first(servers).of('/custom').fetchSockets()).toHaveLength(3))
  first(servers).of('/custom').to('here').emit('test')
  await eventually(() => expect(heard.toSorted(compare)).toEqual([0, 1, 2]))
  expect(await received(first(servers), ends)).toEqual([[], [], []])
})

test('[R4] socketsJoin and socketsLeave change the sockets of all instances', async () => {
  const { servers, ends } = await serveMembers(3, place())
  const [io, other] = servers
  const [a, b, c] = ends
  if (!io || !other || !a || !b || !c) throw new Error('three')
  io.socketsJoin('all')
  io.to('all').emit('test', 1)
  io.in(b.id).socketsJoin('one')
  io.in('one').socketsJoin('also')
  io.to('also').emit('test', 2)
  io.in('one').socketsLeave('all')
  io.to('all').emit('test', 3)
  // The calling instance receives its own request through Redis.
  await eventually(() => expect(a.socket.rooms.has('all')).toBe(true))
  io.to('all').emit('test', 4)
  io.except('one').socketsLeave('all')
  await eventually(() => expect(a.socket.rooms.has('all')).toBe(false))
  io.to('all').emit('test', 5)
  expect(await received(io, ends)).toEqual([[4], [1, 2], [1, 3, 4]])
  await a.socket.join('last')
  other.in('last').socketsJoin('from-another')
  await eventually(() => expect(a.socket.rooms.has('from-another')).toBe(true))
})

test('[R4] disconnectSockets ends connections on all instances, and no others', async () => {
  const { servers, ends } = await serveMembers(3, place())
  const [a, b, c] = ends
  if (!a || !b || !c) throw new Error('three')
  await Promise.all([b.socket.join('out'), c.socket.join('out')])
  first(servers).in('out').disconnectSockets()
  await eventually(() => expect(ends.map(({ client }) => client.socket.connected)).toEqual([true, false, false]))
  first(servers).disconnectSockets(true)
  await eventually(() => expect(a.client.socket.connected).toBe(false))
})

test('[R4] fetchSockets returns the sockets of all instances, with their data', async () => {
  const { servers, ends } = await serveMembers(3, place())
  const [io] = servers
  const [, b] = ends
  if (!io || !b) throw new Error('three')
  Object.assign(b.socket.data, { name: 'Ben' })
  expect((await io.fetchSockets()).map(({ id }) => id).toSorted()).toEqual(ends.map(({ id }) => id).toSorted())
  const found = await io.in(b.id).fetchSockets()
  expect(found).toHaveLength(1)
  expect(first(found)).toMatchObject({ id: b.id, data: { name: 'Ben' } })
  expect([...first(found).rooms]).toEqual([b.id])
  expect(first(found).handshake).toEqual(JSON.parse(JSON.stringify(b.socket.handshake)))
  first(found).join('remote')
  first(found).emit('test', 1)
  io.to('remote').emit('test', 2)
  first(found).disconnect()
  await eventually(() => expect(b.client.socket.connected).toBe(false))
  expect(b.client.of('test')).toEqual([1, 2])
  expect(await io.local.fetchSockets()).toHaveLength(1)
})

test('[R4] serverSideEmit reaches the other instances, which can reply', async () => {
  const { servers } = await serveMembers(3, place())
  const [io, second, third] = servers
  if (!io || !second || !third) throw new Error('three')
  const got: unknown[] = []
  io.on('hello', () => got.push('self'))
  second.on('hello', (...args: unknown[]) => got.push(args))
  third.of('/').on('hello', (...args: unknown[]) => got.push(args))
  io.serverSideEmit('hello', 'world', 1)
  await eventually(() =>
    expect(got).toEqual([
      ['world', 1],
      ['world', 1],
    ]),
  )
  second.on('count', (reply: (count: number) => void) => reply(2))
  third.on('count', (reply: (count: string) => void) => reply('3'))
  expect(((await io.serverSideEmitWithAck('count')) as unknown[]).toSorted(compare)).toEqual([2, '3'])
})

test('[R4] a request that an instance does not answer ends with the other replies', async () => {
  const { servers } = await serveMembers(3, place(), { requestsTimeoutMs: 200 })
  const [io, second] = servers
  if (!io || !second) throw new Error('three')
  second.on('silent', (reply: (count: number) => void) => reply(2))
  // On a busy machine, a reply may take longer.
  await eventually(async () => {
    const [error, replies] = await new Promise<unknown[]>(
      (resolve) => void io.serverSideEmit('silent', (...args: unknown[]) => resolve(args)),
    )
    expect(error).toMatchObject({ message: 'timeout reached: only 1 responses received out of 2' })
    expect(replies).toEqual([2])
  })
})

test('[R4] a broadcast with acknowledgements collects those of all instances', async () => {
  const { servers, ends } = await serveMembers(3, place())
  const [io] = servers
  if (!io) throw new Error('three')
  for (const [index, { client }] of ends.entries()) {
    client.socket.on('ask', (reply: (value: unknown) => void) => reply(index))
    client.socket.on('bytes', (reply: (value: unknown) => void) => reply(Buffer.from([index])))
    client.socket.on('mostly', (reply: (value: unknown) => void) => index < 2 && reply(index))
  }
  const ask = io.timeout(5_000)
  expect(((await ask.emitWithAck('ask')) as unknown[]).toSorted(compare)).toEqual([0, 1, 2])
  const bytes: unknown = await ask.emitWithAck('bytes')
  expect(bytes).toEqual(expect.arrayContaining([0, 1, 2].map((index) => Buffer.from([index]))))
  expect(await io.to('none').timeout(5_000).emitWithAck('ask')).toEqual([])
  await eventually(() => expect(io.timeout(200).emitWithAck('mostly')).rejects.toMatchObject({ responses: expect.arrayContaining([0, 1]) }))
})

test('[R4] an adapter lists the rooms of all instances, and ends its subscriptions', async () => {
  const at = place()
  const { servers, ends, members } = await serveMembers(2, at)
  await ends[1]?.socket.join('far')
  const { adapter } = first(servers).of('/')
  const rooms: unknown = await Reflect.apply(Reflect.get(adapter, 'allRooms'), adapter, [])
  expect(rooms).toEqual(new Set(['far', ...ends.map(({ id }) => id)]))
  const count = (): Promise<number> | undefined => members[0]?.pubsub.link.countSubscribers('$io-request#/#')
  expect(await count()).toBe(2)
  await adapter.close()
  await eventually(async () => expect(await count()).toBe(1))
})

test('[R4] the adapter has no connections of its own', async () => {
  const at = place()
  const member = await serveMember(at)
  member.io.of('/custom')
  await member.realtime.state.set('k', 1)
  const admin = new Redis(redis.url.replace('//', `//${acl.adminCredentials}@`))
  onTestFinished(() => admin.disconnect())
  const names = String(await admin.client('LIST')).match(new RegExp(`name=${String(at.prefix)}:\\S+`, 'g'))
  expect(names?.map((name) => name.slice(-3)).toSorted()).toEqual(['pub', 'sub'])
  expect(member.errors).toEqual([])
})

test('[R4] a parser of the application encodes what instances send to each other', async () => {
  const parser = { encode: (message: unknown) => JSON.stringify(message), decode: (bytes: Buffer) => JSON.parse(String(bytes)) as unknown }
  const { servers, ends } = await serveMembers(2, place(), { parser })
  first(servers).emit('test', 'json')
  expect(await received(first(servers), ends)).toEqual([['json'], ['json']])
})
