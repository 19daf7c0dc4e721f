import { patternsOf, RealtimeError } from '@tutti/protocol'
import { relayedEventSchema } from '@tutti/protocol/schemas'
import type { Core } from '../feature.ts'
import { ListenersByName } from '../listeners-by-name.ts'
import { parseRelayed } from '../parse-relay-message.ts'
import { checkValue } from '../check-value.ts'
import type { EventSubscribers } from './event-subscribers.ts'
import type { ServerEvent } from './server-events.ts'

/** The channel of the relay (N8). */
const RELAY = 'events'

/** Brings events to those who subscribed: here at once, elsewhere through the relay (E1). */
export class EventHub {
  private readonly core: Core
  private readonly subscribers: EventSubscribers
  private readonly listeners: ListenersByName<ServerEvent>
  private readonly stopRelay: (() => void) & { ready: Promise<void> }

  constructor(core: Core, subscribers: EventSubscribers) {
    this.core = core
    this.subscribers = subscribers
    this.listeners = new ListenersByName((error, pattern) => core.onError(error, { stage: 'listener', subject: pattern }))
    this.stopRelay =
      core.pubsub?.subscribe(RELAY, (message) => this.deliver(parseRelayed(relayedEventSchema, message))) ??
      Object.assign(() => {}, { ready: Promise.resolve() })
  }

  /** Settles when events of other instances are heard. */
  get ready(): Promise<void> {
    return this.stopRelay.ready
  }

  /** Delivers here before anything is awaited, then to the others; throws `RELAY_FAILED` where that failed. */
  async publish(event: ServerEvent, exceptConnection?: string): Promise<void> {
    checkValue(this.core.schema.events, event.channel, event.data)
    this.deliver(event, exceptConnection)
    try {
      await this.core.pubsub?.publish(RELAY, event)
    } catch (error) {
      throw new RealtimeError('RELAY_FAILED', {
        message: 'The event reached this instance only: the relay to the others failed.',
        cause: error,
      })
    }
  }

  listen(pattern: string, listener: (event: ServerEvent) => void): () => void {
    return this.listeners.add(pattern, listener)
  }

  close(): void {
    this.stopRelay()
  }

  private deliver({ channel, data }: ServerEvent, exceptConnection?: string): void {
    this.subscribers.deliver({ channel, data }, exceptConnection)
    this.listeners.tell(patternsOf(channel), { channel, data })
  }
}
