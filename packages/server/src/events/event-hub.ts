import { RealtimeError } from '@tutti/protocol'
import { patternsOf } from '@tutti/protocol/internal'
import { relayedEventSchema } from '@tutti/protocol/internal/schemas'
import { checkValue } from '../check-value.ts'
import type { Connection } from '../connection/connection.ts'
import { createDurableEvents, type DurableEvents } from '../durable/durable-events.ts'
import type { DurableLogs } from '../durable/durable-options.ts'
import type { Core } from '../feature.ts'
import { createListenersByName } from '../listeners-by-name.ts'
import { parseRelayMessage } from '../parse-relay-message.ts'
import type { EventSubscribers } from './event-subscribers.ts'
import type { ServerEvent } from './server-events.ts'

/** The channel of the relay (N8). */
const RELAY = 'events'

/** How an event is published. */
export interface HubPublishOptions {
  /** The connection that publishes; it receives its own event only with `includeSelf`. */
  connection?: Connection | undefined
  includeSelf?: boolean | undefined
  /** On a durable channel: appended once for each id. */
  id?: string | undefined
  /** Refuses the event on other channels. */
  durable?: boolean | undefined
}

/** What the hub delivers from. */
export interface HubOptions {
  logs: DurableLogs
  /** How long it takes to compare the durable channels with their logs once, milliseconds; 0: never. */
  intervalMs: number
}

/** Delivers events to subscribers: here at once, elsewhere through the relay (E1). */
export interface EventHub {
  /** Settles when events of other instances are received. */
  readonly ready: Promise<void>
  /** Events on durable channels. */
  readonly durable: DurableEvents
  /**
   * Delivers here before anything is awaited, then to the others; rejects with `RELAY_FAILED` where that failed. On a durable channel
   * appends the event and returns its offset; it is delivered from the log.
   */
  publish(event: ServerEvent, options?: HubPublishOptions): Promise<string | undefined>
  /** Adds a listener of server code. Returns an unsubscribe function. */
  listen(pattern: string, listener: (event: ServerEvent) => void): () => void
  close(): void
}

/** Makes the hub of one server. */
export function createEventHub(core: Core, subscribers: EventSubscribers, { logs, intervalMs }: HubOptions): EventHub {
  const { schema, pubsub, fanOut, onError } = core
  const listeners = createListenersByName<ServerEvent>((error, pattern) => onError(error, { stage: 'listener', subject: pattern }))

  const notify = (event: ServerEvent): void => listeners.notify(patternsOf(event.channel), event)
  const deliver = ({ channel, data }: ServerEvent, exceptConnections: readonly string[] = []): void => {
    subscribers.deliver({ channel, data }, exceptConnections)
    notify({ channel, data })
  }
  const hasListener = (names: readonly string[]): boolean => names.some((name) => listeners.has(name))
  const durable = createDurableEvents({ logs, subscribers, intervalMs, hasListener, notify, fanOut, onError })

  const relay = pubsub?.subscribe(RELAY, (message) => deliver(parseRelayMessage(relayedEventSchema, message)))

  return {
    ready: relay?.ready ?? Promise.resolve(),
    durable,
    publish: async (event, options = {}) => {
      const { connection, includeSelf = false } = options
      checkValue(schema, 'events', event.channel, event.data)
      if (options.durable === true || durable.isDurable(event.channel)) return durable.publish(event, options)
      deliver(event, connection === undefined || includeSelf ? [] : [connection.id])
      try {
        await pubsub?.publish(RELAY, event)
        return undefined
      } catch (error) {
        throw new RealtimeError('RELAY_FAILED', {
          message: 'Event delivered on this instance only: publishing to the other instances failed.',
          cause: error,
        })
      }
    },
    listen: (pattern, listener) => {
      // A subscription that fails is reported by its logs.
      durable.follow(pattern).catch(() => {})
      return listeners.add(pattern, listener)
    },
    close: () => {
      relay?.()
      durable.close()
    },
  }
}
