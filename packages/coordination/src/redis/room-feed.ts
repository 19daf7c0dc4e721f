import { RealtimeError } from '@tutti/protocol'
import { createDeferred } from '@tutti/protocol/internal'
import type { RedisLink } from '@tutti/pubsub/redis'
import type { CoordinationSettings } from '../coordination-options.ts'
import { confirmed } from './confirmed.ts'
import { parseRoomMessage, isOwnMessage, type RoomChangeMessage, type RoomMessage } from './room-message.ts'

/** Follows the changes of one room: subscribes, reads, and applies what is announced, in the order of the versions. */
export interface RoomFeed {
  /** Settles at the first read; rejects with what prevented it, and the feed has ended then. */
  readonly ready: Promise<void>
  /** Settles when this version has arrived. Rejects with `CLOSED`. */
  reached(version: number): Promise<void>
  /** Reads the room again. Rejects if that failed. Reads that are requested meanwhile are one. */
  resync(): Promise<void>
  close(): void
}

/** What a feed needs. */
export interface RoomFeedOptions<Snapshot extends { readonly version: number }> {
  link: RedisLink
  room: string
  channel: string
  instanceId: string
  /** How long a version may take to arrive before the room is read again, milliseconds. */
  patienceMs: number
  read: () => Promise<Snapshot>
  /** The room was read. Changes after it follow. */
  onSnapshot: (snapshot: Snapshot) => void
  onChange: (change: RoomChangeMessage) => void
  /** A message of another instance about cursors. */
  onCursors: (message: Exclude<RoomMessage, RoomChangeMessage>) => void
  /** A read that no call awaits failed. */
  onReadFailed: (error: unknown) => void
  onError: CoordinationSettings['onError']
}

/** Begins to follow a room. */
export function createRoomFeed<Snapshot extends { readonly version: number }>(options: RoomFeedOptions<Snapshot>): RoomFeed {
  const { link, room, channel, instanceId, patienceMs, onError } = options
  const waiting = new Map<() => void, { version: number; reject: (error: unknown) => void }>()
  const ended = createDeferred<never>()
  let version = 0
  let isLive = false
  let isClosed = false
  let missed: RoomChangeMessage[] = []
  let reading: Promise<void> | undefined
  let readAgain = false

  const arrived = (reached: number): void => {
    version = reached
    for (const [resolve, wait] of waiting) if (wait.version <= version) resolve()
  }
  /** False where a message was missed before this one. */
  const apply = (change: RoomChangeMessage): boolean => {
    if (change.version <= version) return true
    if (change.base !== version) return false
    options.onChange(change)
    arrived(change.version)
    return true
  }
  const receive = (text: string): void => {
    if (isClosed || isOwnMessage(text, instanceId)) return
    try {
      const message = parseRoomMessage(text)
      if (message.kind !== 'change') {
        if (isLive) options.onCursors(message)
      } else if (reading !== undefined || !isLive) missed.push(message)
      else if (!apply(message)) resync().catch(options.onReadFailed)
    } catch (error) {
      onError(error, { stage: 'message', room })
    }
  }

  const read = async (): Promise<void> => {
    try {
      do {
        readAgain = false
        // The read contains what was announced before it began.
        missed = []
        const snapshot = await options.read()
        if (isClosed) return
        isLive = true
        options.onSnapshot(snapshot)
        arrived(snapshot.version)
        for (const change of missed) if (!apply(change)) readAgain = true
      } while (readAgain)
    } finally {
      // In the same turn as the last read, so that no message is lost between them.
      reading = undefined
      missed = []
    }
  }
  const resync = (): Promise<void> => {
    readAgain = true
    return (reading ??= read())
  }

  const subscription = link.subscribe(channel, receive)
  const ready = Promise.race([confirmed(link, subscription, ended.promise), ended.promise]).then(() =>
    Promise.race([resync(), ended.promise]),
  )
  ready.catch(() => {})

  return {
    ready,
    reached: (target) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(new RealtimeError('CLOSED'))
        if (version >= target) return resolve()
        // A message that is lost without a gap would show with the next change only.
        const timer = setInterval(() => void resync().catch(options.onReadFailed), patienceMs)
        const end = (): void => {
          clearInterval(timer)
          waiting.delete(end)
          resolve()
        }
        const fail = (error: unknown): void => {
          clearInterval(timer)
          waiting.delete(end)
          reject(error instanceof Error ? error : new RealtimeError('INTERNAL', { cause: error }))
        }
        waiting.set(end, { version: target, reject: fail })
      }),
    // A gap during the first read concerns what came after it was executed.
    resync: () => (isClosed || (!isLive && reading === undefined) ? ready : resync()),
    close: () => {
      isClosed = true
      subscription()
      const closed = new RealtimeError('CLOSED')
      ended.reject(closed)
      for (const { reject } of waiting.values()) reject(closed)
    },
  }
}
