import { createRedisLogs } from '@tutti/coordination/logs'
import { RealtimePubSub } from '@tutti/pubsub'
import { eventually, sendToRedis, startRedis, type TestRedis } from '@tutti/test-kit'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { codeOf, serve, type PlainClient, type Served } from '../serve.ts'
import { connectAs, eventsOf, lastOffset } from './durable-client.ts'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const DURABLE = { 'chat:*': { maxRecords: 500 }, 'small:*': { maxRecords: 5 } }

/** Two instances on Redis; or one alone, twice. */
const places: Record<string, () => Promise<[Served, Served]>> = {
  'on Redis': async () => {
    const [one, other] = [
      serve({ pubsub: new RealtimePubSub({ url: redis.url }), durable: DURABLE }),
      serve({ pubsub: new RealtimePubSub({ url: redis.url }), durable: DURABLE }),
    ]
    return [await one, await other]
  },
  'in memory': async () => {
    const served = await serve({ durable: DURABLE })
    return [served, served]
  },
}

let channels = 0

describe.each(Object.entries(places))('durable channels %s', (_name, make) => {
  let one: Served
  let other: Served
  beforeAll(async () => {
    ;[one, other] = await make()
  })
  afterAll(() => Promise.all([...new Set([one, other])].map((served) => served.close())))
  const nextChannel = (prefix = 'chat'): string => `${prefix}:${(channels += 1)}`
  const publish = async (client: PlainClient, channel: string, from: number, count: number): Promise<void> => {
    for (let number = from; number < from + count; number += 1) await client.request('event:publish', { channel, data: number })
  }
  const numbers = (from: number, end: number): number[] => Array.from({ length: end - from }, (_, place) => from + place)

  test('[E6] a client that was away receives missed events once, on any instance', async () => {
    const channel = nextChannel()
    const [publisher, first] = await Promise.all([one.connect(), connectAs(one.url, 'away')])
    const { offset: start } = await first.request('event:subscribe', { channel })
    await publish(publisher, channel, 0, 5)
    await eventually(() => expect(eventsOf(first, channel)).toEqual(numbers(0, 5)))
    first.socket.disconnect()
    await publish(publisher, channel, 5, 250)
    const second = await connectAs(other.url, 'away')
    onTestFinished(() => void second.socket.disconnect())
    await second.request('event:subscribe', { channel, offset: lastOffset(first, channel, start), skipOwn: true })
    await publish(publisher, channel, 255, 20)
    await eventually(() => expect(eventsOf(second, channel)).toEqual(numbers(5, 275)))
    // Three pages, and then events as they come.
    expect(second.of('event:replayed').length).toBeGreaterThan(2)
    await publish(publisher, channel, 275, 1)
    await eventually(() => expect(second.of('event:received').at(-1)).toMatchObject({ channel, data: 275, offset: expect.any(String) }))
  })

  test('[E6] events that are no longer in the log are a gap, and the rest follows', async () => {
    const channel = nextChannel('small')
    const [publisher, first] = await Promise.all([one.connect(), other.connect()])
    const { offset } = await first.request('event:subscribe', { channel })
    first.socket.disconnect()
    await publish(publisher, channel, 0, 8)
    const second = await other.connect()
    await second.request('event:subscribe', { channel, offset })
    await eventually(() => expect(eventsOf(second, channel)).toEqual(['gap', 3, 4, 5, 6, 7]))
    expect(second.of('event:gap')).toEqual([{ channel, from: offset, offset: expect.any(String) }])
    // An offset of another lifetime of the log.
    const third = await other.connect()
    await third.request('event:subscribe', { channel, offset: '1-1' })
    await eventually(() => expect(eventsOf(third, channel)).toEqual(['gap', 3, 4, 5, 6, 7]))
  })

  test('[E6] rewind delivers the newest events first, and history the ones before them', async () => {
    const channel = nextChannel()
    const [publisher, client] = await Promise.all([one.connect(), other.connect()])
    await publish(publisher, channel, 0, 30)
    await client.request('event:subscribe', { channel, rewind: 10 })
    await eventually(() => expect(eventsOf(client, channel)).toEqual(numbers(20, 30)))
    const { events: [first] = [], epoch = '' } = (client.of('event:replayed')[1] ?? {}) as { events?: { offset: string }[]; epoch?: string }
    const page = await client.request('event:history', { channel, before: `${epoch}-${first?.offset}`, limit: 15 })
    expect(page.events.map(({ data }) => data)).toEqual(numbers(5, 20))
    const rest = await client.request('event:history', { channel, before: page.before, limit: 15 })
    expect(rest.events.map(({ data }) => data)).toEqual(numbers(0, 5))
    expect(rest).not.toHaveProperty('before')
    expect((await client.request('event:history', { channel })).events).toHaveLength(30)
    expect(codeOf(await client.send('event:history', { channel, before: '1-1' }))).toBe('GAP')
  })

  test('[E2] own events are left out without includeSelf, also after a reconnect', async () => {
    const channel = nextChannel()
    const first = await connectAs(one.url, 'own')
    const { offset } = await first.request('event:subscribe', { channel })
    await first.request('event:publish', { channel, data: 'hidden' })
    await first.request('event:publish', { channel, data: 'shown', includeSelf: true })
    await eventually(() => expect(eventsOf(first, channel)).toEqual(['shown']))
    first.socket.disconnect()
    const second = await connectAs(other.url, 'own')
    await second.request('event:subscribe', { channel, offset, skipOwn: true })
    await second.request('event:publish', { channel, data: 'hidden too' })
    await second.request('event:publish', { channel, data: 'last', includeSelf: true })
    await eventually(() => expect(eventsOf(second, channel)).toEqual(['shown', 'last']))
    // A page that was loaded again shows them.
    const third = await connectAs(other.url, 'own')
    onTestFinished(() => [second, third].forEach(({ socket }) => socket.disconnect()))
    await third.request('event:subscribe', { channel, rewind: 10 })
    await eventually(() => expect(eventsOf(third, channel)).toEqual(['hidden', 'shown', 'hidden too', 'last']))
  })

  test('[E7] one id published twice is one event, with one offset', async () => {
    const channel = nextChannel()
    const [publisher, subscriber] = await Promise.all([one.connect(), other.connect()])
    await subscriber.request('event:subscribe', { channel })
    const replies = await Promise.all(
      [publisher, subscriber].map((client) => client.request('event:publish', { channel, data: 1, id: 'same', includeSelf: true })),
    )
    expect(new Set(replies.map(({ offset }) => offset)).size).toBe(1)
    await one.realtime.events.publish(channel, 1, { id: 'same' })
    await one.realtime.events.publish(channel, 2)
    await eventually(() => expect(eventsOf(subscriber, channel)).toEqual([1, 2]))
  })

  test('[E6] patterns and server code receive each new event once, without a replay', async () => {
    const channel = nextChannel()
    const heard: unknown[] = []
    const stop = other.realtime.events.subscribe('chat:*', (event) => heard.push(event))
    onTestFinished(stop)
    const [publisher, client] = await Promise.all([one.connect(), other.connect()])
    await publisher.request('event:publish', { channel, data: 'before' })
    // Otherwise its notification may arrive after the subscriptions.
    await eventually(() => expect(heard).toContainEqual(expect.objectContaining({ channel, data: 'before' })))
    for (const name of ['*', 'chat:*', channel]) await client.request('event:subscribe', { channel: name })
    const large = 'x'.repeat(20_000)
    for (const data of ['one', large, 'two']) await publisher.request('event:publish', { channel, data })
    await eventually(() => expect(eventsOf(client, channel)).toEqual(['one', large, 'two']))
    await eventually(() => expect(heard).toEqual(expect.arrayContaining(['one', large, 'two'].map((data) => ({ channel, data })))))
  })

  test('[E6] a durable subscription and an ordinary one of a channel are apart', async () => {
    const channel = nextChannel()
    const [publisher, client] = await Promise.all([one.connect(), other.connect()])
    await publish(publisher, channel, 0, 2)
    await client.request('event:subscribe', { channel })
    await client.request('event:subscribe', { channel, durable: true, rewind: 1 })
    // Until the replay has ended, the ordinary subscription is ahead of the durable one.
    await eventually(() => expect(eventsOf(client, channel)).toEqual([1]))
    await publish(publisher, channel, 2, 1)
    // Each event once, although both receive it.
    await eventually(() => expect(eventsOf(client, channel)).toEqual([1, 2]))
    await client.request('event:unsubscribe', { channel, durable: true })
    await publish(publisher, channel, 3, 1)
    await eventually(() => expect(eventsOf(client, channel)).toEqual([1, 2, 3]))
    await client.request('event:subscribe', { channel, durable: true })
    await client.request('event:unsubscribe', { channel })
    await publish(publisher, channel, 4, 1)
    await eventually(() => expect(eventsOf(client, channel)).toEqual([1, 2, 3, 4]))
    expect(codeOf(await client.send('event:subscribe', { channel: 'plain', durable: true }))).toBe('UNSUPPORTED')
  })

  test('[E6] a subscription that ended during its replay receives nothing more', async () => {
    const channel = nextChannel()
    const [publisher, client] = await Promise.all([one.connect(), other.connect()])
    await publish(publisher, channel, 0, 300)
    await Promise.all([client.request('event:subscribe', { channel, rewind: 300 }), client.request('event:unsubscribe', { channel })])
    const before = eventsOf(client, channel).length
    await publish(publisher, channel, 300, 3)
    await client.request('event:history', { channel })
    expect(eventsOf(client, channel).length).toBeLessThanOrEqual(before + 100)
    expect(eventsOf(client, channel)).not.toContain(300)
  })

  test('[E10] workers of the server process events once in the cluster', async () => {
    const channel = nextChannel('jobs')
    const served = await serve({ durable: { 'jobs:*': { groups: ['g'] } } })
    onTestFinished(() => served.close())
    const seen: unknown[] = []
    for (let count = 0; count < 2; count += 1) served.realtime.workers('jobs:*', { group: 'g' }, ({ data }) => void seen.push(data))
    const client = await served.connect()
    await publish(client, channel, 0, 20)
    await eventually(() => expect(seen).toEqual(numbers(0, 20)))
    expect(() => served.realtime.workers('other:*', { group: 'g' }, () => {})).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
  })
})

test('[E6] a channel that is not durable has no history, and its events have no offset', async () => {
  const served = await serve({ durable: DURABLE })
  onTestFinished(() => served.close())
  const client = await served.connect()
  expect(codeOf(await client.send('event:history', { channel: 'plain' }))).toBe('UNSUPPORTED')
  expect(await client.request('event:subscribe', { channel: 'plain', rewind: 5 })).toEqual({ ok: true })
  expect(await client.request('event:publish', { channel: 'plain', data: 1, includeSelf: true })).toEqual({ ok: true })
  await eventually(() => expect(client.of('event:received')).toEqual([{ channel: 'plain', data: 1 }]))
})

test('[X2] history needs the right to subscribe', async () => {
  const served = await serve({ durable: DURABLE, authorize: ({ action }) => action !== 'event:subscribe' })
  onTestFinished(() => served.close())
  const client = await served.connect()
  for (const name of ['event:history', 'event:subscribe']) expect(codeOf(await client.send(name, { channel: 'chat:x' }))).toBe('FORBIDDEN')
})

test('[E6] an event is one command to append, and none to deliver', async () => {
  const pubsub = new RealtimePubSub({ url: redis.url })
  const logs = createRedisLogs({ link: pubsub.link, pattern: 'cost:*' })
  const served = await serve({ pubsub, durable: { 'cost:*': logs } })
  onTestFinished(() => served.close())
  const elsewhere = await serve({ pubsub: new RealtimePubSub({ url: redis.url }), durable: { 'cost:*': {} } })
  onTestFinished(() => elsewhere.close())
  const clients = await Promise.all([served.connect(), elsewhere.connect(), elsewhere.connect()])
  for (const client of clients) await client.request('event:subscribe', { channel: 'cost:a' })
  const commands = async (): Promise<number> =>
    Number(/total_commands_processed:(\d+)/.exec(String(await sendToRedis(redis, 'INFO', 'stats')))?.[1])
  const inScripts = async (): Promise<number> =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(String(await sendToRedis(redis, 'INFO', 'commandstats')))?.[1])
  const before = [await inScripts(), await commands()]
  for (let number = 0; number < 10; number += 1) await logs.append('cost:a', { json: String(number) })
  await eventually(() => expect(clients.map((client) => eventsOf(client, 'cost:a').length)).toEqual([10, 10, 10]))
  expect((await inScripts()) - (before[0] ?? 0)).toBeLessThanOrEqual(10 + 4)
})
