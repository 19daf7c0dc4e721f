import { eventually, spawnInstance, startRedis, type Instance, type TestRedis } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { connectPlain, type PlainClient } from '../serve.ts'
import { dataOf } from './messages-of.ts'

// Two instances on one Redis, as processes: the receivers of messages, and what a stopped instance makes of commands.

/** Rounds of a join and a broadcast. */
const ROUNDS = Number(process.env['ROOM_ROUNDS'] ?? 300)

let redis: TestRedis
let instances: [Instance, Instance]
const clients: PlainClient[] = []

beforeAll(async () => {
  redis = await startRedis()
  const start = (): Promise<Instance> =>
    spawnInstance(new URL('../instance.ts', import.meta.url), { env: { REDIS_URL: redis.url, QUIET: '1' } })
  instances = await Promise.all([start(), start()])
})

afterAll(async () => {
  for (const { socket } of clients) socket.disconnect()
  for (const instance of instances) instance.resume()
  await Promise.all(instances.map((instance) => instance.stop()))
  await redis.stop()
})

const connectTo = async (index: 0 | 1): Promise<PlainClient> => {
  const client = await connectPlain(String(instances[index].ready['url']))
  clients.push(client)
  return client
}
const idOf = ({ socket }: PlainClient): string => String(socket.id)
const instanceIds = (): string[] => instances.map(({ ready }) => String(ready['instanceId']))

test('[R1] a broadcast after an awaited join elsewhere reaches the new member', async () => {
  const client = await connectTo(1)
  for (let round = 0; round < ROUNDS; round += 1) {
    const room = `round:${round}`
    await instances[0].call('rooms', 'join', { connection: idOf(client) }, room)
    // Every other broadcast is sent by the other instance.
    await instances[round % 2 === 0 ? 0 : 1].call('rooms', 'broadcast', room, 'n', round)
  }
  await eventually(() => expect(dataOf(client)).toHaveLength(ROUNDS))
  expect(dataOf(client)).toEqual(Array.from({ length: ROUNDS }, (_, round) => round))
})

test('[R1] calls apply on all instances, which are named in the results', async () => {
  const [near, far] = await Promise.all([connectTo(0), connectTo(1)])
  const both = { connection: [idOf(near), idOf(far)] }
  const joined = await instances[0].call('rooms', 'join', both, 'both')
  expect(joined).toEqual({ results: expect.arrayContaining(instanceIds().map((instance) => ({ instance, connections: 1 }))), missing: [] })
  expect(await instances[1].call('rooms', 'connections', 'both')).toMatchObject({ count: 2 })
  expect(await instances[1].call('rooms', 'list', 'bo')).toMatchObject({ results: [{ room: 'both', connections: 2 }] })
  expect(await instances[0].call('rooms', 'of', idOf(far))).toMatchObject({ results: ['both'] })
  await instances[0].call('rooms', 'move', { room: 'both', except: { connection: idOf(near) } }, 'both', 'far')
  await instances[1].call('rooms', 'broadcast', ['both', 'far'], 'n', 'once')
  await instances[0].call('broadcast', 'n', 'all')
  for (const client of [near, far]) await eventually(() => expect(dataOf(client)).toEqual(['once', 'all']))
  const closed = new Promise((resolve) => far.socket.once('disconnect', resolve))
  await instances[0].call('rooms', 'disconnect', { room: 'far' })
  await closed
})

test('[R1] what no instance sent is dropped, and calls continue', async () => {
  const client = await connectTo(1)
  const publisher = new Redis(redis.url)
  onTestFinished(() => publisher.disconnect())
  const [, id] = instanceIds()
  const rubbish = [
    '',
    '{}',
    '1 2 3',
    `1 1 ${id} 1 1\n{}`,
    `9e15 1 ${id} 1 1\n[`,
    '[]',
    '[1,2]',
    `["${id}",["a"],[1,2]]`,
    '1 1 x 1 0\n{"do":"send"}',
  ]
  for (const text of rubbish) for (const channel of ['tutti:$rooms', `tutti:$replies:${id}`]) await publisher.publish(channel, text)
  expect(await instances[1].call('rooms', 'join', { connection: idOf(client) }, 'after')).toMatchObject({ missing: [] })
})

test('[R1] a stopped instance is missing, and delivers no late message afterwards', async () => {
  const [stopped, fine] = [await connectTo(1), await connectTo(0)]
  const both = { connection: [idOf(stopped), idOf(fine)] }
  await instances[0].call('rooms', 'join', both, 'stop')
  instances[1].pause()
  const options = { timeoutMs: 300 }
  const calls = [
    instances[0].call('rooms', 'broadcast', 'stop', 'n', 'late', options),
    instances[0].call('rooms', 'join', both, 'applied', options),
    instances[0].call('rooms', 'list', '', options),
  ]
  for (const call of calls) expect(await call).toMatchObject({ missing: [instanceIds()[1]] })
  instances[1].resume()
  // The instance applies commands in their order: the late ones before this one.
  await instances[0].call('rooms', 'broadcast', 'applied', 'n', 'fresh')
  await eventually(() => expect(dataOf(stopped)).toContain('fresh'))
  expect(dataOf(stopped)).toEqual(['fresh'])
  await eventually(() => expect(dataOf(fine)).toEqual(['late', 'fresh']))
})

test('[R1] a late disconnect ends only connections that were open when it was sent', async () => {
  const before = await connectTo(1)
  const closed = new Promise((resolve) => before.socket.once('disconnect', resolve))
  // Longer ago than a busy machine makes the clocks inexact.
  const opened = performance.now()
  await eventually(() => expect(performance.now() - opened).toBeGreaterThan(200))
  instances[1].pause()
  await instances[0].call('rooms', 'disconnect', { all: true }, { timeoutMs: 100 })
  const connecting = connectTo(1)
  instances[1].resume()
  const [after] = await Promise.all([connecting, closed])
  await instances[0].call('rooms', 'join', { connection: idOf(after) }, 'later')
  expect(await instances[0].call('rooms', 'connections', 'later')).toMatchObject({ count: 1 })
})

test('[R4] a process without Socket.IO sends to rooms and connections', async () => {
  const sender = await spawnInstance(new URL('sender-app.ts', import.meta.url), { env: { REDIS_URL: redis.url } })
  onTestFinished(() => sender.kill())
  const [near, far] = await Promise.all([connectTo(0), connectTo(1)])
  const both = { connection: [idOf(near), idOf(far)] }
  const everywhere = { results: expect.arrayContaining(instanceIds().map((instance) => ({ instance, connections: 1 }))), missing: [] }
  expect(await sender.call('rooms', 'join', both, 'work')).toEqual(everywhere)
  expect(await sender.call('rooms', 'broadcast', 'work', 'n', 1)).toEqual(everywhere)
  expect(await sender.call('connection', idOf(far), 'n', 2)).toMatchObject({ missing: [] })
  expect(await sender.call('broadcast', 'n', 3, { except: { connection: idOf(far) } })).toMatchObject({ missing: [] })
  expect(await sender.call('user', 'nobody', 'n', 4)).toMatchObject({ missing: [] })
  expect(await sender.call('rooms', 'connections', 'work')).toMatchObject({ count: 2, missing: [] })
  await eventually(() =>
    expect([dataOf(near), dataOf(far)]).toEqual([
      [1, 3],
      [1, 2],
    ]),
  )
  instances[1].pause()
  await eventually(async () =>
    expect(await sender.call('rooms', 'broadcast', 'work', 'n', 5, { timeoutMs: 200 })).toEqual({
      results: [{ instance: instanceIds()[0], connections: 1 }],
      missing: [instanceIds()[1]],
    }),
  )
  instances[1].resume()
  // The process is none of the instances, and serves nothing.
  expect(await instances[0].call('rooms', 'list', 'work')).toMatchObject({ missing: [] })
  expect(await sender.call('resources')).toEqual([])
  await expect(sender.call('user', '', 'n', 1)).rejects.toThrow('must be a text that is not empty')
  await expect(sender.call('broadcast', 'counted', 'many')).rejects.toThrow('does not match its schema')
  await sender.call('close')
  await expect(sender.call('rooms', 'list')).rejects.toThrow('Closed')
})
