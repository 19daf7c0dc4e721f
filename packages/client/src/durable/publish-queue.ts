import { RealtimeError, type JsonValue } from '@tutti/protocol'
import { createListeners, mayRepeat } from '@tutti/protocol/internal'
import { createRetry, type Retry } from '../connection/retry.ts'
import type { ClientInternals } from '../create-realtime-client.ts'
import { oncePerClient } from '../once-per-client.ts'

/** An event that is not yet acknowledged. */
export interface PendingEvent<Data = JsonValue> {
  readonly id: string
  readonly data: Data
}

/** An event that is in the log. */
export interface AppendedEvent {
  readonly offset: string
  readonly data: JsonValue
}

/** An event to be published. */
export interface QueuedEvent extends PendingEvent {
  readonly includeSelf: boolean | undefined
  /** Receives its offset, or why it was not appended. */
  done(outcome: { offset: string } | { error: Error }): void
}

/** The events of one client that are not yet acknowledged. */
export interface PublishQueue {
  /** Sends it after the earlier ones of its channel. */
  add(channel: string, event: QueuedEvent): void
  /** In the order in which they are sent. */
  pending(channel: string): readonly PendingEvent[]
  /**
   * Runs the listener after each change of a channel's pending events; `appended` is the one that was acknowledged. Returns an
   * unsubscribe function.
   */
  onChange(listener: (channel: string, appended?: AppendedEvent) => void): () => void
}

interface Lane {
  readonly events: QueuedEvent[]
  readonly retry: Retry
  /** The first event was sent at least once. */
  isSent: boolean
  /** Its reply is awaited. */
  isBusy: boolean
}

const NONE: readonly PendingEvent[] = []

/** The queue of a client, made for its first event. */
export const publishQueueOf = oncePerClient(createPublishQueue)

/**
 * Sends the events of a channel one at a time, each until it is acknowledged or refused for good: an event that is sent again after the
 * next one was appended would be out of order. Each has an id, so that a repetition appends nothing (E11).
 */
function createPublishQueue(internals: ClientInternals): PublishQueue {
  const { connection, maxPendingChanges, isClosed, onThrow } = internals
  const lanes = new Map<string, Lane>()
  const changes = createListeners<[channel: string, appended?: AppendedEvent]>(onThrow)
  let count = 0

  const settle = (channel: string, lane: Lane, outcome: Parameters<QueuedEvent['done']>[0]): void => {
    const event = lane.events.shift()
    lane.isSent = false
    count -= 1
    if (lane.events.length === 0) lanes.delete(channel)
    event?.done(outcome)
    changes.emit(channel, event && 'offset' in outcome ? { offset: outcome.offset, data: event.data } : undefined)
  }
  const send = (channel: string, lane: Lane): void => {
    const [event] = lane.events
    if (event === undefined || lane.isBusy || lane.retry.waiting || !connection.up) return
    const { id, data, includeSelf } = event
    lane.isSent = lane.isBusy = true
    connection.request('event:publish', { channel, data, includeSelf, id, durable: true }, ({ result, error }) => {
      lane.isBusy = false
      if (result) settle(channel, lane, { offset: result.offset ?? '' })
      // It is sent again with the next connection.
      else if (!connection.up) return
      // With its id it can also be repeated where it may have been appended.
      else if (mayRepeat(error)) return lane.retry.plan(() => send(channel, lane), error.retryAfterMs)
      else settle(channel, lane, { error })
      lane.retry.reset()
      send(channel, lane)
    })
  }
  // In a later step than the subscriptions of the same turn, so that their listeners receive the event.
  const sendSoon = (channel: string, lane: Lane): void => queueMicrotask(() => send(channel, lane))

  connection.attach({
    onUp: () => {
      for (const [channel, lane] of lanes) {
        lane.retry.reset()
        sendSoon(channel, lane)
      }
    },
  })
  connection.subscribe(({ status }) => {
    if (status !== 'closed' || !isClosed()) return
    for (const [channel, lane] of [...lanes]) {
      lane.retry.reset()
      while (lane.events.length > 0) settle(channel, lane, { error: new RealtimeError(lane.isSent ? 'OUTCOME_UNKNOWN' : 'CLOSED') })
    }
  })

  return {
    add: (channel, event) => {
      if (count >= maxPendingChanges)
        throw new RealtimeError('OVERFLOW', { message: `Too many waiting events (maxPendingChanges: ${maxPendingChanges}).` })
      const lane = lanes.get(channel) ?? { events: [], retry: createRetry(internals), isSent: false, isBusy: false }
      lanes.set(channel, lane)
      lane.events.push(event)
      count += 1
      sendSoon(channel, lane)
      changes.emit(channel)
    },
    pending: (channel) => lanes.get(channel)?.events ?? NONE,
    onChange: (listener) => changes.add(listener),
  }
}
