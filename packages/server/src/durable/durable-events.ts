import { RealtimeError, type EventHistory, type Notices, type Requests } from '@tutti/protocol'
import { isPattern, MAX_HISTORY, patternsOf } from '@tutti/protocol/internal'
import type { Connection } from '../connection/connection.ts'
import { PlacedReply } from '../connection/handler.ts'
import { channelRoom, channelRooms, logRoom } from '../connection/subscription-names.ts'
import type { EventSubscribers } from '../events/event-subscribers.ts'
import type { ServerEvent } from '../events/server-events.ts'
import type { Core } from '../feature.ts'
import { authorOf, createAuthors } from './author.ts'
import { dataOf, type DurableEvent } from './durable-channel.ts'
import { createDurableChannels } from './durable-channels.ts'
import type { DurableLogs } from './durable-options.ts'
import { offsetText, parseOffset } from './log-offset.ts'
import { createReplays } from './replays.ts'

type Subscribe = Requests['event:subscribe']

/** How an event is appended. */
export interface AppendOptions {
  connection?: Connection | undefined
  includeSelf?: boolean | undefined
  id?: string | undefined
}

/** Events on durable channels: appended to a log, and delivered from it (E6). */
export interface DurableEvents {
  /** Whether any channel is durable. */
  readonly hasRows: boolean
  isDurable(channel: string): boolean
  /** Settles when the event is in the log, with its offset. */
  publish(event: ServerEvent, options: AppendOptions): Promise<string>
  /** Settles when new events of the durable channels of a pattern are received here. */
  follow(pattern: string): Promise<void>
  /** Subscribes to a durable channel from a position on. */
  subscribe(connection: Connection, payload: Subscribe['payload']): Promise<PlacedReply<Subscribe['result']>>
  history(payload: Requests['event:history']['payload']): Promise<EventHistory>
  onConnect(connection: Connection): void
  onDisconnect(connection: Connection): void
  close(): void
}

/** What they need. */
export interface DurableEventsOptions extends Pick<Core, 'fanOut' | 'onError'> {
  logs: DurableLogs
  subscribers: EventSubscribers
  intervalMs: number
  /** Whether server code listens to one of the names. */
  hasListener: (names: readonly string[]) => boolean
  /** Delivers to listeners of server code. */
  notify: (event: ServerEvent) => void
}

/** Makes the durable events of one server. */
export function createDurableEvents(options: DurableEventsOptions): DurableEvents {
  const { logs, subscribers, intervalMs, hasListener, notify, fanOut, onError } = options
  const authors = createAuthors()
  const replays = createReplays({
    logsOf: (channel) => logs.rowOf(channel),
    onError,
  })
  const channels = createDurableChannels({
    ...{ rows: logs.rows, intervalMs, onError },
    isUsed: (channel) => channelRooms(channel).some((room) => replays.has(room) || fanOut.hasReceivers(room)),
    hasReceivers: (channel) => {
      const names = patternsOf(channel)
      return fanOut.hasReceivers(logRoom(channel)) || subscribers.hasReceivers(names) || hasListener(names)
    },
    deliver: (channel, event) => {
      const { data, author, includeSelf = false } = event
      const except = author === undefined || includeSelf ? [] : authors.idsOf(author)
      subscribers.deliver(receivedOf(channel, event), except)
      notify({ channel, data })
    },
    onGap: (channel, from, to) => {
      fanOut.emit(channelRooms(channel), 'event:gap', { channel, from: offsetText(from), offset: offsetText(to) })
    },
  })
  const logsOf = (channel: string) => {
    const found = logs.rowOf(channel)
    if (found !== undefined) return found
    throw new RealtimeError('UNSUPPORTED', { message: `${channel} is not a durable channel: see the option \`durable\` of the server.` })
  }

  return {
    hasRows: logs.rows.length > 0,
    isDurable: (channel) => !isPattern(channel) && logs.rowOf(channel) !== undefined,
    publish: async ({ channel, data }, { connection, includeSelf, id }) => {
      const author = connection === undefined ? undefined : authorOf(connection)
      return offsetText(await logsOf(channel).append(channel, { json: JSON.stringify(data), author, includeSelf, id }))
    },
    follow: (pattern) => channels.follow(pattern),
    subscribe: async (connection, { channel, offset, rewind = 0, skipOwn = false, durable: isOwn = false }) => {
      const own = logsOf(channel)
      const room = isOwn ? logRoom(channel) : channelRoom(channel)
      subscribers.reserve(connection, room)
      const replay = replays.open({ connection, channel, room, skipOwn })
      try {
        const durable = await channels.open(channel, own)
        const start = offset === undefined ? (rewind > 0 ? await own.rewind(channel, rewind) : durable.position) : parseOffset(offset)
        const after = (): void => replay.start(durable, start)
        return new PlacedReply({ offset: offsetText(start) }, { after })
      } catch (error) {
        // Unless another request of the connection has subscribed meanwhile.
        if (replay.end()) subscribers.delete(connection, room)
        throw error
      }
    },
    history: async ({ channel, before, limit = MAX_HISTORY }) => {
      const page = await logsOf(channel).history(channel, limit, before === undefined ? undefined : parseOffset(before))
      if (page.hasGap) throw new RealtimeError('GAP', { message: `The position is no longer in the log of ${channel}.` })
      const { epoch, records, hasMore } = page
      const events = records.map((record) => ({
        data: dataOf(record.json, (error) => onError(error, { stage: 'durable', subject: channel })),
        offset: offsetText({ epoch, offset: record.offset }),
      }))
      const [first] = events
      return { events, ...(hasMore && first !== undefined ? { before: first.offset } : {}) }
    },
    onConnect: (connection) => {
      if (logs.rows.length > 0) authors.add(connection)
    },
    onDisconnect: (connection) => {
      authors.delete(connection)
      replays.endAll(connection)
    },
    close: () => {
      replays.close()
      channels.close()
    },
  }
}

const receivedOf = (channel: string, event: DurableEvent): Notices['event:received'] => ({
  channel,
  data: event.data,
  offset: offsetText(event),
})
