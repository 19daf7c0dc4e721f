import { createRealtimeClient, socketTransport, type RealtimeClient } from '@tutti/client'
import { publishDurable, subscribeDurable } from '@tutti/client/durable'
import { seededRandom } from '@tutti/test-kit'
import { serveInstance } from '@tutti/test-kit/instance'
import { offsetNumber, type DurableHistory, type PublishedEvent, type SeenItem } from './durable-history.ts'

// Some of the publishers and subscribers, in a process of their own.

const CHANNEL = 'chat:faults'

let clients: RealtimeClient[] = []
let seen: { subscriber: string; items: SeenItem[] }[] = []
let published: PublishedEvent[] = []
let refused: string[] = []
const waiting = new Set<string>()

/** A client that tries one instance after the other. */
function connect(urls: readonly string[], seed: number): RealtimeClient {
  const random = seededRandom(seed)
  const transports = urls.map((url) => socketTransport({ url }))
  let next = seed
  const client = createRealtimeClient({
    transport: (handshake, listener) => {
      const open = transports[next++ % transports.length]
      if (open === undefined) throw new Error('There is no url.')
      return open(handshake, listener)
    },
    random: () => random.next() / 4,
    maxPendingChanges: 100_000,
    onError: () => {},
  })
  clients.push(client)
  return client
}

serveInstance(
  {},
  {
    /** Opens so many subscribers. */
    subscribe: (urls: string[], names: string[], seed: number) => {
      for (const [index, subscriber] of names.entries()) {
        const items: SeenItem[] = []
        seen.push({ subscriber, items })
        const onGap = ({ from, offset }: { from: string; offset: string }): void => {
          items.push({ gap: [offsetNumber(from), offsetNumber(offset)] })
        }
        subscribeDurable(
          connect(urls, seed + index),
          CHANNEL,
          (data, { offset }) => {
            const [publisher = '', number] = String(data).split(' ')
            items.push({ publisher, number: Number(number), offset: offsetNumber(offset) })
          },
          { onGap },
        )
      }
    },
    /** How many clients are connected, and have received something on the channel. */
    ready: () => seen.filter(({ items }) => items.length > 0).length,
    /** Publishes so many events, spread over a time. */
    publish: (urls: string[], publisher: string, count: number, overMs: number, seed: number) => {
      const client = connect(urls, seed)
      const begin = performance.now()
      let number = 0
      const timer = setInterval(() => {
        const due = Math.min(count, Math.ceil((count * (performance.now() - begin)) / Math.max(1, overMs)))
        for (; number < due; number += 1) {
          const event = { publisher, number }
          const name = `${publisher} ${number}`
          waiting.add(name)
          publishDurable(client, CHANNEL, name)
            .then(
              (offset) => void published.push({ ...event, offset: offsetNumber(offset) }),
              (error: unknown) => void refused.push(`${name}: ${String(error)}`),
            )
            .finally(() => waiting.delete(name))
        }
        if (number === count) clearInterval(timer)
      }, 10)
    },
    counts: () => ({
      published: published.length + refused.length,
      lowest: Math.min(Infinity, ...seen.map(({ items }) => lastOf(items))),
      last: Math.max(0, ...published.map(({ offset }) => offset)),
    }),
    takeHistory: (): DurableHistory => ({ published, seen, unsettled: [...refused, ...waiting] }),
    close: async () => {
      await Promise.all(clients.map((client) => client.close()))
      ;[clients, seen, published, refused] = [[], [], [], []]
      waiting.clear()
    },
  },
)

function lastOf(items: readonly SeenItem[]): number {
  const last = items.at(-1)
  return last === undefined ? 0 : 'gap' in last ? last.gap[1] : last.offset
}
