import { createMemoryLogs, type Logs } from '@tutti/coordination/logs'
import { eventually, seededRandom, type SeededRandom } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { serve, type PlainClient } from '../serve.ts'
import { connectAs, eventsOf, lastOffset } from './durable-client.ts'

const EVENTS = 150
const CLIENTS = 6
const MAX_RECORDS = 40
const seeds = Array.from(
  { length: Number(process.env['FUZZ_SCHEDULES'] ?? 4) },
  (_, place) => Number(process.env['FUZZ_SEED'] ?? 1) + place,
)

/** The logs as an instance sees them that misses some notifications. */
const lossy = (logs: Logs, random: SeededRandom): Logs => ({
  ...logs,
  onAppend: (listener) =>
    logs.onAppend((notice) => {
      if (random.below(4) > 0) listener(notice)
    }),
})

/** One user of a channel, through all of its connections. */
interface Subscriber {
  readonly name: string
  client: PlainClient
  start: string | undefined
  readonly received: unknown[]
}

const CHANNEL = 'chat:a'

test.each(seeds)('[E6] each subscriber has every event once and in order, or a gap (seed %i)', async (seed) => {
  const random = seededRandom(seed)
  const logs = createMemoryLogs({ pattern: 'chat:*', maxRecords: MAX_RECORDS, inlineValueMaxBytes: 20 })
  const options = () => ({ durable: { 'chat:*': lossy(logs, random) }, reconcileIntervalMs: 40 })
  const instances = await Promise.all([serve(options()), serve(options())])
  onTestFinished(async () => {
    for (const { client } of subscribers) client.socket.disconnect()
    for (const instance of instances) await instance.close()
    await logs.close()
  })
  const subscribe = async (name: string, offset: string | undefined) => {
    const client = await connectAs(random.pick(instances).url, name)
    const reply = await client.request('event:subscribe', { channel: CHANNEL, ...(offset === undefined ? {} : { offset, skipOwn: true }) })
    return { client, start: reply.offset }
  }
  const subscribers: Subscriber[] = []
  for (let place = 0; place < CLIENTS; place += 1) {
    subscribers.push({ name: `client-${place}`, received: [], ...(await subscribe(`client-${place}`, undefined)) })
  }

  for (let number = 0; number < EVENTS; number += 1) {
    const data = random.below(5) === 0 ? `${number}:${'x'.repeat(30)}` : `${number}:`
    await logs.append(CHANNEL, { json: JSON.stringify(data) })
    if (random.below(8) > 0) continue
    const subscriber = random.pick(subscribers)
    const { client } = subscriber
    client.socket.disconnect()
    subscriber.received.push(...eventsOf(client, CHANNEL))
    const offset = lastOffset(client, CHANNEL, subscriber.start)
    // Some are away for longer than the log reaches back.
    const missed = random.below(4) === 0 ? MAX_RECORDS + 5 : random.below(10)
    for (let count = 0; count < missed; count += 1) await logs.append(CHANNEL, { json: JSON.stringify(`${(number += 1)}:`) })
    Object.assign(subscriber, await subscribe(subscriber.name, offset))
  }
  await logs.append(CHANNEL, { json: '"end:"' })

  const all = (subscriber: Subscriber): unknown[] => [...subscriber.received, ...eventsOf(subscriber.client, CHANNEL)]
  await eventually(() => {
    for (const subscriber of subscribers) expect(all(subscriber).at(-1)).toBe('end:')
  })
  for (const subscriber of subscribers) {
    let expected = 0
    for (const item of all(subscriber).slice(0, -1)) {
      const number = Number.parseInt(String(item), 10)
      // After a gap any later event may follow.
      if (item === 'gap') expected = -1
      else if (expected === -1) expected = number + 1
      else {
        expect(number).toBe(expected)
        expected = number + 1
      }
    }
  }
})
