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

const start = async (maxRecords: number): Promise<{ served: Served; append: (channel: string, data: unknown) => Promise<unknown> }> => {
  const pubsub = new RealtimePubSub({ url: redis.url })
  const logs = createRedisLogs({ link: pubsub.link, pattern: 'cost:*', maxRecords })
  const served = await serve({ pubsub, durable: { 'cost:*': logs } })
  onTestFinished(() => served.close())
  return { served, append: (channel, data) => logs.append(channel, { json: JSON.stringify(data) }) }
}
/** Scripts that instances sent, and commands of all kinds. */
const countsOf = async (): Promise<{ scripts: number; all: number }> => {
  const scripts = /cmdstat_evalsha:calls=(\d+)/.exec(String(await sendToRedis(redis, 'INFO', 'commandstats')))?.[1]
  const all = /total_commands_processed:(\d+)/.exec(String(await sendToRedis(redis, 'INFO', 'stats')))?.[1]
  return { scripts: Number(scripts ?? 0), all: Number(all) }
}

test.each([1, 3, 10])('[E6] an event is one script with %i instances, and none while idle', async (count) => {
  const places = await Promise.all(Array.from({ length: count }, () => start(1_000)))
  const channel = `cost:${count}`
  const clients: PlainClient[] = await Promise.all(places.map(({ served }) => served.connect()))
  for (const client of clients) await client.request('event:subscribe', { channel, durable: true })
  const before = await countsOf()
  for (let number = 0; number < 20; number += 1) await places[0]?.append(channel, number)
  await eventually(() => {
    for (const client of clients) expect(eventsOf(client, channel)).toHaveLength(20)
  })
  expect((await countsOf()).scripts - before.scripts).toBe(20)
  // The two commands of the counts themselves are all that is sent without an event.
  const idle = await countsOf()
  await clients[0]?.request('event:unsubscribe', { channel: 'other' })
  expect(await countsOf()).toEqual({ scripts: idle.scripts, all: idle.all + 2 })
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
