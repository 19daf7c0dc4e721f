import { createRedisLogs } from '@tutti/coordination/logs'
import { RealtimePubSub } from '@tutti/pubsub'
import { eventually, sendToRedis, startRedis, type TestRedis } from '@tutti/test-kit'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { serve, type PlainClient, type Served } from '../serve.ts'
import { connectAs, eventsOf } from './durable-client.ts'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const start = async (
  maxRecords: number,
  groups: string[] = [],
): Promise<{ served: Served; append: (channel: string, data: unknown) => Promise<unknown> }> => {
  const pubsub = new RealtimePubSub({ url: redis.url })
  const logs = createRedisLogs({ link: pubsub.link, pattern: 'cost:*', maxRecords, groups })
  const served = await serve({ pubsub, durable: { 'cost:*': logs } })
  onTestFinished(() => served.close())
  return { served, append: (channel, data) => logs.append(channel, { json: JSON.stringify(data) }) }
}
/** Commands of logs in Redis so far, those in scripts included. Leases use none of them. */
const commandsOfLogs = async (): Promise<Record<string, number>> => {
  const stats = String(await sendToRedis(redis, 'INFO', 'commandstats'))
  const rows = stats.matchAll(/^cmdstat_(x[a-z|]+|hm?get|hset|hdel|rename|publish):calls=(\d+)/gm)
  return Object.fromEntries([...rows].map(([, name, calls]) => [name, Number(calls)]))
}
const heartbeats = async (): Promise<number> =>
  Number(/cmdstat_evalsha:calls=(\d+)/.exec(String(await sendToRedis(redis, 'INFO', 'commandstats')))?.[1])
const difference = (before: Record<string, number>, after: Record<string, number>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(after).flatMap(([name, calls]) => (calls === before[name] ? [] : [[name, calls - (before[name] ?? 0)]])),
  )

test.each([1, 3, 10])('[E6] an event is one append in Redis, and no read, with %i instances', async (count) => {
  const places = await Promise.all(Array.from({ length: count }, () => start(1_000)))
  const channel = `cost:${count}`
  const clients: PlainClient[] = await Promise.all(places.map(({ served }) => served.connect()))
  for (const client of clients) await client.request('event:subscribe', { channel, durable: true })
  const before = await commandsOfLogs()
  for (let number = 0; number < 20; number += 1) await places[0]?.append(channel, number)
  await eventually(() => {
    for (const client of clients) expect(eventsOf(client, channel)).toHaveLength(20)
  })
  expect(difference(before, await commandsOfLogs())).toEqual({ hget: 20, hset: 20, publish: 20, xadd: 20, xlen: 20 })
})

test('[E10] an idle channel and an idle group cost nothing', async () => {
  const places = await Promise.all(Array.from({ length: 3 }, () => start(1_000, ['g'])))
  const processed: unknown[] = []
  for (const { served } of places) {
    const client = await served.connect()
    await client.request('event:subscribe', { channel: 'cost:idle', durable: true })
    served.realtime.workers('cost:*', { group: 'g' }, ({ data }) => void processed.push(data))
  }
  const rounds = async (count: number): Promise<void> => {
    const begin = await heartbeats()
    await eventually(async () => expect((await heartbeats()) - begin).toBeGreaterThanOrEqual(count * places.length))
  }
  await places[0]?.append('cost:idle', 1)
  await eventually(() => expect(processed).toEqual([1]))
  await rounds(1)
  const before = await commandsOfLogs()
  await rounds(2)
  expect(difference(before, await commandsOfLogs())).toEqual({})
})

test('[E6] 1,000 missed records cost 1.2 times their bytes, between other replies', async () => {
  const { served, append } = await start(2_000)
  const channel = 'cost:resume'
  const first = await connectAs(served.url, 'away')
  const { offset } = await first.request('event:subscribe', { channel, durable: true })
  first.socket.disconnect()
  const data = { user: 'ann', text: 'x'.repeat(176) }
  expect(JSON.stringify(data)).toHaveLength(200)
  await Promise.all(Array.from({ length: 1_000 }, () => append(channel, data)))
  const second = await connectAs(served.url, 'away')
  onTestFinished(() => void second.socket.disconnect())
  let bytes = 0
  second.socket.io.engine.on('data', (packet: unknown) => (bytes += String(packet).length))
  const subscribed = second.request('event:subscribe', { channel, durable: true, offset, skipOwn: true })
  const pagesBefore: number[] = []
  for (let number = 0; number < 3; number += 1) {
    await second.request('storage:get', { key: 'other' })
    pagesBefore.push(second.of('event:replayed').length)
  }
  await subscribed
  await eventually(() => expect(eventsOf(second, channel)).toHaveLength(1_000))
  expect(second.of('event:replayed').length).toBeGreaterThanOrEqual(10)
  // Each reply came while pages were still to follow.
  expect(Math.max(...pagesBefore)).toBeLessThan(10)
  expect(bytes).toBeLessThan(1.2 * 200_000)
})
