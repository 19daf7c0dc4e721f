import type { Notices } from '@tutti/protocol'
import { connectPlain, type PlainClient } from '../serve.ts'

/** What a client has received of one durable channel, in order: data, or `gap`. */
export function eventsOf({ received }: PlainClient, channel: string): unknown[] {
  return received.flatMap(({ name, payload }) => {
    if (typeof payload !== 'object' || payload === null || !('channel' in payload) || payload.channel !== channel) return []
    if (name === 'event:gap') return ['gap']
    if (name === 'event:received') return [(payload as Notices['event:received']).data]
    return name === 'event:replayed' ? (payload as Notices['event:replayed']).events.map(({ data }) => data) : []
  })
}

/** The offset of the last event that a client has received, or that its subscription began with. */
export function lastOffset(client: PlainClient, channel: string, start: string | undefined): string | undefined {
  let last = start
  for (const { name, payload } of client.received) {
    if (typeof payload !== 'object' || payload === null || !('channel' in payload) || payload.channel !== channel) continue
    if (name === 'event:received') last = (payload as Notices['event:received']).offset ?? last
    if (name === 'event:gap') last = (payload as Notices['event:gap']).offset
    if (name !== 'event:replayed') continue
    const { epoch, events } = payload as Notices['event:replayed']
    const end = events.at(-1)
    if (end !== undefined) last = `${epoch}-${end.offset}`
  }
  return last
}

/** A connection of a client that keeps its `clientId`. */
export const connectAs = (url: string, clientId: string): Promise<PlainClient> =>
  connectPlain(url, { auth: { protocol: 1, clientId, features: [] } })
