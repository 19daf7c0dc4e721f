import { createRealtimeClient, type RealtimeClient } from '@tutti/client'
import { eventually } from '@tutti/test-kit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { publishDurable, readHistory, subscribeDurable } from '@tutti/client/durable'
import { startRealServer } from '../real-server.ts'

let server: Awaited<ReturnType<typeof startRealServer>>
const clients: RealtimeClient[] = []
const connect = (): RealtimeClient => {
  const client = createRealtimeClient({ url: server.url, random: () => 0 })
  clients.push(client)
  return client
}
beforeAll(async () => {
  server = await startRealServer({ durable: { 'chat:*': { maxRecords: 150 } } })
})
afterEach(async () => void (await Promise.all(clients.splice(0).map((client) => client.close()))))
afterAll(() => server.close())

const connected = (client: RealtimeClient): Promise<void> => eventually(() => expect(client.connection.current.status).toBe('connected'))
const publish = async (client: RealtimeClient, channel: string, from: number, end: number): Promise<void> => {
  await connected(client)
  for (let number = from; number < end; number += 1) await client.events.publish(channel, number)
}
const numbers = (from: number, end: number): number[] => Array.from({ length: end - from }, (_, place) => from + place)

test('[E6] a client that reconnects receives missed events, each once and in order', async () => {
  const [reader, writer] = [connect(), connect()]
  const exact: unknown[] = []
  subscribeDurable(reader, 'chat:a', (data) => exact.push(data))
  await connected(reader)
  await publish(writer, 'chat:a', 0, 5)
  await eventually(() => expect(exact).toEqual(numbers(0, 5)))
  reader.connection.disconnect()
  await publish(writer, 'chat:a', 5, 130)
  reader.connection.connect()
  await connected(reader)
  await publish(writer, 'chat:a', 130, 140)
  await eventually(() => expect(exact).toEqual(numbers(0, 140)))
})

test('[E2] a client does not receive its own events after a reconnect', async () => {
  const client = connect()
  const received: unknown[] = []
  subscribeDurable(client, 'chat:own', (data) => received.push(data))
  await connected(client)
  await client.events.publish('chat:own', 'hidden')
  client.connection.disconnect()
  client.connection.connect()
  await connected(client)
  await client.events.publish('chat:own', 'shown', { includeSelf: true })
  await eventually(() => expect(received).toEqual(['shown']))
})

test('[E6] a subscription begins with the newest events, or after an offset', async () => {
  const writer = connect()
  await publish(writer, 'chat:b', 0, 20)
  const received: unknown[] = []
  const offsets: (string | undefined)[] = []
  subscribeDurable(
    connect(),
    'chat:b',
    (data, { offset }) => {
      received.push(data)
      offsets.push(offset)
    },
    { rewind: 5 },
  )
  await eventually(() => expect(received).toEqual(numbers(15, 20)))
  const rest: unknown[] = []
  subscribeDurable(connect(), 'chat:b', (data) => rest.push(data), { from: offsets[2] })
  await eventually(() => expect(rest).toEqual([18, 19]))
})

test('[E6] events that are no longer in the log are a gap', async () => {
  const [reader, writer] = [connect(), connect()]
  const received: unknown[] = []
  subscribeDurable(reader, 'chat:c', (data) => received.push(data), { onGap: () => received.push('gap') })
  await connected(reader)
  await publish(writer, 'chat:c', 0, 1)
  await eventually(() => expect(received).toEqual([0]))
  reader.connection.disconnect()
  await publish(writer, 'chat:c', 1, 160)
  reader.connection.connect()
  await eventually(() => expect(received).toEqual([0, 'gap', ...numbers(10, 160)]))
})

test('[E7] an event that is published again with its id is one event', async () => {
  const [reader, writer] = [connect(), connect()]
  const received: unknown[] = []
  subscribeDurable(reader, 'chat:d', (data) => received.push(data))
  await Promise.all([connected(reader), connected(writer)])
  await publishDurable(writer, 'chat:d', 1, { id: 'one' })
  await publishDurable(writer, 'chat:d', 1, { id: 'one' })
  await writer.events.publish('chat:d', 2)
  await eventually(() => expect(received).toEqual([1, 2]))
})

test('[E6] a durable subscription and an ordinary one of a channel are apart', async () => {
  const [reader, writer] = [connect(), connect()]
  await Promise.all([connected(reader), connected(writer)])
  const [durable, ordinary]: [unknown[], unknown[]] = [[], []]
  const endDurable = subscribeDurable(reader, 'chat:e', (data) => durable.push(data))
  const endOrdinary = reader.events.subscribe('chat:e', (data) => ordinary.push(data))
  const both = async (number: number): Promise<void> => {
    await publish(writer, 'chat:e', number, number + 1)
    await eventually(() => expect([durable.at(-1), ordinary.at(-1)]).toContain(number))
  }
  // The replies to both subscriptions have arrived.
  await eventually(async () => {
    await both(0)
    expect([durable.at(-1), ordinary.at(-1)]).toEqual([0, 0])
  })
  endDurable()
  await eventually(() => both(1))
  await eventually(() => expect(ordinary.at(-1)).toBe(1))
  const end = subscribeDurable(reader, 'chat:e', (data) => durable.push(data), { rewind: 1 })
  await eventually(() => expect(durable.at(-1)).toBe(1))
  endOrdinary()
  await publish(writer, 'chat:e', 2, 4)
  await eventually(() => expect(durable.slice(-3)).toEqual([1, 2, 3]))
  end()
})

test('[E6] a subscription with a storage continues after a reload of the page', async () => {
  const items = new Map<string, string>()
  const storage = {
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => void items.set(name, value),
  }
  const [page, writer] = [connect(), connect()]
  const received: unknown[] = []
  subscribeDurable(page, 'chat:f', (data) => received.push(data), { storage })
  await eventually(() => expect(items.has('tutti:offset:chat:f')).toBe(true))
  await publish(writer, 'chat:f', 0, 3)
  await eventually(() => expect(received).toEqual([0, 1, 2]))
  await page.close()
  await publish(writer, 'chat:f', 3, 5)
  const reloaded = connect()
  subscribeDurable(reloaded, 'chat:f', (data) => received.push(data), { storage, rewind: 5 })
  await eventually(() => expect(received).toEqual([0, 1, 2, 3, 4]))
  // What is no offset is ignored.
  items.set('tutti:offset:chat:g', 'x')
  await publish(writer, 'chat:g', 0, 1)
  subscribeDurable(reloaded, 'chat:g', (data) => received.push(data), { storage, rewind: 5 })
  await eventually(() => expect(received).toEqual([0, 1, 2, 3, 4, 0]))
})

test('[E6] a listener that replaces the last one begins where it was requested', async () => {
  const [reader, writer] = [connect(), connect()]
  await publish(writer, 'chat:h', 0, 5)
  await connected(reader)
  const received: unknown[] = []
  subscribeDurable(reader, 'chat:h', () => {})()
  const end = subscribeDurable(reader, 'chat:h', (data) => received.push(data), { rewind: 2 })
  await eventually(() => expect(received).toEqual([3, 4]))
  end()
  subscribeDurable(reader, 'chat:h', (data) => received.push(data), { rewind: 3 })
  await eventually(() => expect(received).toEqual([3, 4, 2, 3, 4]))
})

test('[E6] history is read by page', async () => {
  const writer = connect()
  await publish(writer, 'chat:i', 0, 7)
  const page = await readHistory<number>(writer, 'chat:i', { limit: 4 })
  expect(page.events.map(({ data }) => data)).toEqual([3, 4, 5, 6])
  const rest = await readHistory<number>(writer, 'chat:i', { before: page.before })
  expect([rest.events.map(({ data }) => data), rest.before]).toEqual([[0, 1, 2], undefined])
  await expect(readHistory(writer, 'chat:i', { before: '1-1' })).rejects.toMatchObject({ code: 'GAP' })
})
