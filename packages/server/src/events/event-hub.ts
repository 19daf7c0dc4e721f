import { patternsOf, RealtimeError } from '@tutti/protocol'
import { relayedEventSchema } from '@tutti/protocol/schemas'
import { checkValue } from '../check-value.ts'
import type { Core } from '../feature.ts'
import { createListenersByName } from '../listeners-by-name.ts'
import { parseRelayMessage } from '../parse-relay-message.ts'
import type { EventSubscribers } from './event-subscribers.ts'
import type { ServerEvent } from './server-events.ts'

/** The channel of the relay (N8). */
const RELAY = 'events'

/** Delivers events to subscribers: here at once, elsewhere through the relay (E1). */
export interface EventHub {
  /** Settles when events of other instances are received. */
  readonly ready: Promise<void>
  /** Delivers here before anything is awaited, then to the others; rejects with `RELAY_FAILED` where that failed. */
  publish(event: ServerEvent, exceptConnection?: string): Promise<void>
  /** Adds a listener of server code. Returns an unsubscribe function. */
  listen(pattern: string, listener: (event: ServerEvent) => void): () => void
  close(): void
}

/** Makes the hub of one server. */
export function createEventHub({ schema, pubsub, onError }: Core, subscribers: EventSubscribers): EventHub {
  const listeners = createListenersByName<ServerEvent>((error, pattern) => onError(error, { stage: 'listener', subject: pattern }))

  const deliver = ({ channel, data }: ServerEvent, exceptConnection?: string): void => {
    subscribers.deliver({ channel, data }, exceptConnection)
    listeners.notify(patternsOf(channel), { channel, data })
  }

  const relay = pubsub?.subscribe(RELAY, (message) => deliver(parseRelayMessage(relayedEventSchema, message)))

  return {
    ready: relay?.ready ?? Promise.resolve(),
    publish: async (event, exceptConnection) => {
      checkValue(schema.events, event.channel, event.data)
      deliver(event, exceptConnection)
      try {
        await pubsub?.publish(RELAY, event)
      } catch (error) {
        throw new RealtimeError('RELAY_FAILED', {
          message: 'Event delivered on this instance only: publishing to the other instances failed.',
          cause: error,
        })
      }
    },
    listen: (pattern, listener) => listeners.add(pattern, listener),
    close: () => relay?.(),
  }
}
