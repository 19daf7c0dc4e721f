import type { Observable } from '../observable.ts'
import type { ChannelGap } from './durable-subscriptions.ts'
import type { PendingEvent } from './publish-queue.ts'

export type { ChannelGap } from './durable-subscriptions.ts'

/** An event in the log of a channel. */
export interface ChannelRecord<Data> {
  /** Its place in the log, the same for all clients. */
  readonly offset: string
  readonly data: Data
}

/** What is known of a channel. */
export interface ChannelSnapshot<Data> {
  /** In the order of the log, each once, those of this client included. */
  readonly records: readonly ChannelRecord<Data>[]
  /** Published through this client and not yet acknowledged, in the order in which they are sent. */
  readonly pending: readonly PendingEvent<Data>[]
  /** The last gap: events after `from` and up to `offset` may be missing in `records`. */
  readonly gap: ChannelGap | undefined
  /** Older events may be in the log: see `loadMore`. */
  readonly hasMore: boolean
  /** The server has not yet replied. */
  readonly loading: boolean
  /** Why the channel cannot be subscribed to. */
  readonly error: Error | undefined
}

/** How a channel is used. */
export interface DurableChannelOptions {
  /** Number of newest events that are loaded first, up to 1,000. @default 50 */
  rewind?: number | undefined
}

/** A handle on a durable channel. All handles of a client on one channel share its records. */
export interface DurableChannel<Data> extends Observable<ChannelSnapshot<Data>> {
  readonly channel: string
  /** As `publishDurable`. The event is in `pending` until it is in `records`. */
  publish(data: Data): Promise<string>
  /** Loads older events, up to 100. Rejects as `readHistory` does, but not with `GAP`: then there are none. */
  loadMore(limit?: number): Promise<void>
  /** Ends the handle. What was published is still sent. Idempotent. */
  dispose(): void
}
