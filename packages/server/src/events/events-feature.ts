import type { Core, Feature } from '../feature.ts'
import { createEventHandlers, type EventHandlers } from './event-handlers.ts'
import { createEventHub, type HubOptions } from './event-hub.ts'
import { createEventSubscribers } from './event-subscribers.ts'
import { createServerEvents, type ServerEvents } from './server-events.ts'

/** The parts of events. */
export interface EventsFeature {
  readonly feature: Feature
  /** `realtime.events`. */
  readonly events: ServerEvents
  /** What server code that acts as a user needs. */
  readonly handlers: EventHandlers
  /** Settles once events of other instances are received. */
  readonly ready: Promise<void>
}

/** Events: what `event:*` messages do, and `realtime.events`. */
export function eventsFeature(core: Core, options: HubOptions): EventsFeature {
  const subscribers = createEventSubscribers(core)
  const hub = createEventHub(core, subscribers, options)
  const handlers = createEventHandlers(hub, subscribers)
  return {
    ready: hub.ready,
    handlers,
    events: createServerEvents(
      async (event, { id }) => void (await hub.publish(event, { id })),
      (pattern, listener) => hub.listen(pattern, listener),
    ),
    feature: {
      name: 'events',
      handlers: [handlers.publish, handlers.subscribe, handlers.unsubscribe, handlers.history],
      onConnect: (connection) => hub.durable.onConnect(connection),
      onDisconnect: (connection) => {
        hub.durable.onDisconnect(connection)
        subscribers.leaveAll(connection)
      },
      holds: (connection) => subscribers.accessesOf(connection),
      apply: (connection, access, verdict) => subscribers.apply(connection, access, verdict),
      close: async () => hub.close(),
    },
  }
}
