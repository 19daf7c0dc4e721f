import type { LogPage, LogPosition, Logs } from '@tutti/coordination/logs'
import type { JsonValue } from '@tutti/protocol'
import type { Connection } from '../connection/connection.ts'
import type { Core } from '../feature.ts'
import { authorOf } from './author.ts'
import { dataOf, type DurableChannel } from './durable-channel.ts'
import { isSamePosition, numberText, offsetText } from './log-offset.ts'

/** Where a subscription of one connection begins. */
export interface ReplayOptions {
  connection: Connection
  channel: string
  /** The room of its subscription, which the connection joins at the end. */
  room: string
  /** Events of this connection's client are left out. */
  skipOwn: boolean
}

/** One connection that is not yet where its instance is on a channel. */
export interface Replay {
  /** Sends pages until the connection is where the instance is, and then joins. Without missed events it joins at once. */
  start(durable: DurableChannel, position: LogPosition): void
  /** Returns whether it was still needed. */
  end(): boolean
}

/** The replays of one instance. */
export interface Replays {
  /** Registers a replay in place of an earlier one of the connection and room. */
  open(options: ReplayOptions): Replay
  /** Whether a connection that is to join a room is not yet where the instance is. */
  has(room: string): boolean
  endAll(connection: Connection): void
  close(): void
}

/** What replays need. */
export interface ReplaysOptions extends Pick<Core, 'onError'> {
  logsOf(channel: string): Logs | undefined
}

/** How long a read waits that failed, milliseconds. */
const REPEAT_MS = 1_000

type ReadPage = LogPage & { readonly data: readonly JsonValue[] }

/**
 * Makes the replays. Nothing is buffered: each has a position, and reads a page when the connection has read the one before. The
 * connections that read the same page at the same time share the read.
 */
export function createReplays({ logsOf, onError }: ReplaysOptions): Replays {
  const running = new Map<string, Map<Connection, Replay>>()
  const reads = new Map<string, Promise<ReadPage>>()
  const timers = new Set<NodeJS.Timeout>()

  const readPage = (channel: string, position: LogPosition): Promise<ReadPage> => {
    const name = `${channel} ${offsetText(position)}`
    const read = async (): Promise<ReadPage> => {
      const page = await logsOf(channel)?.read(channel, position)
      if (page === undefined) throw new Error('The channel is not durable.')
      return { ...page, data: page.records.map(({ json }) => dataOf(json, (error) => report(error, channel))) }
    }
    const shared = reads.get(name) ?? read().finally(() => reads.delete(name))
    reads.set(name, shared)
    return shared
  }
  const report = (error: unknown, channel: string): void => onError(error, { stage: 'durable', subject: channel })
  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer)
        resolve()
      }, REPEAT_MS)
      timers.add(timer)
    })

  const open = ({ connection, channel, room, skipOwn }: ReplayOptions): Replay => {
    const own = running.get(room) ?? new Map<Connection, Replay>()
    own.get(connection)?.end()
    running.set(room, own)
    let isActive = true
    const author = authorOf(connection)

    const end = (): boolean => {
      const wasActive = isActive
      isActive = false
      if (own.get(connection) === replay) own.delete(connection)
      if (own.size === 0 && running.get(room) === own) running.delete(room)
      return wasActive
    }
    const isNeeded = (): boolean => {
      if (isActive && (!connection.connected || !connection.subscriptions.has(room))) end()
      return isActive
    }
    const finish = (): void => {
      end()
      connection.join(room)
    }

    /** Sends what follows the position. Returns the next one, or `undefined` at the end. */
    const step = async (durable: DurableChannel, position: LogPosition, liveFrom: number): Promise<LogPosition | undefined> => {
      const page = await readPage(channel, position)
      if (!isNeeded()) return undefined
      const { epoch, records, data, hasGap, from } = page
      if (hasGap) {
        const start = { epoch, offset: from }
        connection.send('event:gap', { channel, from: offsetText(position), offset: offsetText(start) })
        return start
      }
      const target = durable.position
      const events = records.flatMap(({ offset, author: writer, includeSelf }, place) => {
        if (epoch !== target.epoch || offset > target.offset) return []
        const isOwn = writer === author && includeSelf !== true && (skipOwn || offset > liveFrom)
        return [{ offset, event: isOwn ? undefined : { data: data[place] ?? null, offset: numberText(offset) } }]
      })
      const last = events.at(-1)
      if (last === undefined && !isSamePosition(position, target)) {
        // The instance has yet to receive what is in the log.
        await durable.check()
        return position
      }
      const next = last === undefined ? position : { epoch, offset: last.offset }
      const isLast = isSamePosition(next, durable.position)
      const sent = events.flatMap(({ event }) => event ?? [])
      if (sent.length > 0 || isLast) {
        connection.send('event:replayed', { channel, epoch: numberText(epoch), events: sent, ...(isLast ? {} : { more: true }) })
      }
      if (!isLast) {
        await new Promise<void>((resolve) => connection.backlog.afterDrain(resolve))
        return next
      }
      finish()
      return undefined
    }
    const run = async (durable: DurableChannel, start: LogPosition): Promise<void> => {
      const liveFrom = durable.position.offset
      let position: LogPosition | undefined = start
      while (position !== undefined && isNeeded()) {
        try {
          position = await step(durable, position, liveFrom)
        } catch (error) {
          report(error, channel)
          await pause()
        }
      }
    }
    const replay: Replay = {
      start: (durable, position) => {
        if (!isNeeded()) return
        if (isSamePosition(position, durable.position)) return finish()
        // Pages follow: what the connection receives of the channel by a pattern is not the next event.
        connection.send('event:replayed', { channel, epoch: numberText(position.epoch), events: [], more: true })
        void run(durable, position)
      },
      end,
    }
    own.set(connection, replay)
    return replay
  }

  return {
    open,
    has: (room) => running.has(room),
    endAll: (connection) => {
      for (const own of [...running.values()]) own.get(connection)?.end()
    },
    close: () => {
      for (const own of [...running.values()]) for (const replay of [...own.values()]) replay.end()
      for (const timer of timers) clearTimeout(timer)
    },
  }
}
