import { RealtimeError, type JsonValue } from '@tutti/protocol'
import type { Connection } from '../connection/connection-contract.ts'
import type { RealtimeClient } from '../create-realtime-client.ts'
import { createObservable, type Observable } from '../observable.ts'
import type { ChannelRecord, ChannelSnapshot } from './durable-channel-contract.ts'
import { durableSubscriptionsOf } from './durable-subscriptions.ts'
import { compareOffsets } from './offset-order.ts'
import { publishQueueOf, type PendingEvent } from './publish-queue.ts'
import { readHistory } from './read-history.ts'

/** The part of a client that channels use. */
export type ChannelClient = Pick<RealtimeClient, 'clientId' | 'internals'>

/** The records of one channel, for all handles of a client. */
export interface ChannelRecords {
  readonly observable: Observable<ChannelSnapshot<JsonValue>>
  loadMore(limit: number): Promise<void>
  /** Adds a handle, and loads older events until there are so many. Returns a function that ends it; the last one ends all. */
  use(rewind: number): () => void
}

const clients = new WeakMap<Connection, Map<string, ChannelRecords>>()
const PAGE = 100
const EMPTY: ChannelSnapshot<never> = { records: [], pending: [], gap: undefined, hasMore: true, loading: true, error: undefined }

/** The records of a channel, which begin with the first handle. */
export function channelRecordsOf(client: ChannelClient, channel: string, rewind: number): ChannelRecords {
  const { connection } = client.internals
  const all = clients.get(connection) ?? new Map<string, ChannelRecords>()
  clients.set(connection, all)
  const known = all.get(channel) ?? createChannelRecords(client, channel, rewind, () => all.delete(channel))
  all.set(channel, known)
  return known
}

function createChannelRecords(client: ChannelClient, channel: string, rewind: number, onEnd: () => void): ChannelRecords {
  const { internals } = client
  const { onThrow } = internals
  const queue = publishQueueOf(internals)
  const { observable, show } = createObservable<ChannelSnapshot<JsonValue>>({ ...EMPTY, pending: [...queue.pending(channel)] }, onThrow)
  const change = (part: Partial<ChannelSnapshot<JsonValue>>): void => show({ ...observable.current, ...part })
  /** Received, and shown with the rest of their message. */
  let received: ChannelRecord<JsonValue>[] = []
  /** Where the subscription began: what follows it is complete, what is before it is loaded by page. */
  let start: string | undefined
  /** A pending event that is among the records: its notification came before its acknowledgement. */
  let shownId: string | undefined
  let uses = 0
  let wanted = 0

  const withEvents = (events: readonly ChannelRecord<JsonValue>[]): { records: readonly ChannelRecord<JsonValue>[] } => ({
    records: merged(observable.current.records, events),
  })
  const pendingEvents = (): readonly PendingEvent[] => queue.pending(channel).filter(({ id }) => id !== shownId)
  const onAppended = (event: ChannelRecord<JsonValue>): readonly ChannelRecord<JsonValue>[] => {
    if (start === undefined) received.push(event)
    return start !== undefined && compareOffsets(event.offset, start) > 0 ? [event] : []
  }
  const loadMore = async (limit: number): Promise<void> => {
    if (start === undefined)
      throw new RealtimeError('UNAVAILABLE', { message: `Not yet subscribed to ${channel}: wait until \`loading\` is false.` })
    const before = observable.current.records[0]?.offset
    try {
      const page = await readHistory(client, channel, { before, limit })
      change({ ...withEvents(page.events), hasMore: page.before !== undefined })
    } catch (error) {
      if (!(error instanceof RealtimeError) || error.code !== 'GAP') throw error
      change({ hasMore: false })
    }
  }
  const fill = async (): Promise<void> => {
    while (start !== undefined && uses > 0 && observable.current.hasMore && observable.current.records.length < wanted) {
      await loadMore(Math.min(PAGE, wanted - observable.current.records.length))
    }
  }
  let filling: Promise<void> | undefined
  /** A failure leaves the rest to `loadMore`, or to the next events. */
  const fillSoon = (): void => {
    filling ??= fill()
      .catch(() => {})
      .finally(() => (filling = undefined))
  }

  const subscription = durableSubscriptionsOf(internals).open(
    channel,
    {
      // The application declares the data of its channels.
      receive: (data, offset) => void received.push({ offset, data: data as JsonValue }),
      onGap: (gap) => change({ gap }),
      onOffset: (offset) => {
        const from = (start ??= offset)
        const events = received.filter((event) => compareOffsets(event.offset, from) > 0)
        received = []
        const [first] = queue.pending(channel)
        const json = first && JSON.stringify(first.data)
        if (events.some(({ data }) => JSON.stringify(data) === json)) shownId = first?.id
        change({ ...withEvents(events), pending: pendingEvents(), loading: false, error: undefined })
        fillSoon()
      },
      onRefused: (error) => change({ loading: false, error }),
    },
    { rewind },
  )
  start = subscription.offset
  if (start !== undefined) change({ loading: false })
  const stops = [
    subscription.end,
    // In one step, so that an event is always in one of the two lists.
    queue.onChange((changed, appended) => {
      if (changed === channel) change({ pending: pendingEvents(), ...withEvents(appended ? onAppended(appended) : []) })
    }),
  ]
  const records: ChannelRecords = {
    observable,
    loadMore,
    use: (count) => {
      uses += 1
      // The subscription begins with them, if it is the first one.
      if (count > rewind || !subscription.isFirst) {
        wanted = Math.max(wanted, count)
        fillSoon()
      }
      return () => {
        uses -= 1
        if (uses > 0) return
        for (const stop of stops) stop()
        onEnd()
      }
    },
  }
  return records
}

/** The records with those of `events` that are missing, in the order of the log. */
function merged<Data>(records: readonly ChannelRecord<Data>[], events: readonly ChannelRecord<Data>[]): readonly ChannelRecord<Data>[] {
  const last = records.at(-1)
  const known = new Set(last === undefined ? [] : records.map(({ offset }) => offset))
  const added = events.filter(({ offset }) => !known.has(offset)).map(({ offset, data }) => ({ offset, data }))
  if (added.length === 0) return records
  const all = [...records, ...added]
  const [first] = added
  const isInOrder = first !== undefined && (last === undefined || compareOffsets(last.offset, first.offset) < 0)
  return isInOrder ? all : all.sort((a, b) => compareOffsets(a.offset, b.offset))
}
