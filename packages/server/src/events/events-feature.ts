import type { Core, Feature } from '../feature.ts'
import { EventHub } from './event-hub.ts'
import { EventSubscribers } from './event-subscribers.ts'
import { publishHandler } from './handlers/publish.ts'
import { subscribeHandler } from './handlers/subscribe.ts'
import { unsubscribeHandler } from './handlers/unsubscribe.ts'
import { createServerEvents, type ServerEvents } from './server-events.ts'
import type { EventHandlers } from './user-events.ts'

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
export function eventsFeature(core: Core): EventsFeature {
  const subscribers = new EventSubscribers(core)
  const hub = new EventHub(core, subscribers)
  const handlers: EventHandlers = { publish: publishHandler(hub), subscribe: subscribeHandler(subscribers) }
  return {
    ready: hub.ready,
    handlers,
    events: createServerEvents(
      (event) => hub.publish(event),
      (pattern, listener) => hub.listen(pattern, listener),
    ),
    feature: {
      name: 'events',
      handlers: [handlers.publish, handlers.subscribe, unsubscribeHandler(subscribers)],
      onDisconnect: (connection) => subscribers.leaveAll(connection),
      holds: (connection) => subscribers.heldBy(connection),
      apply: (connection, access, verdict) => subscribers.apply(connection, access, verdict),
      close: async () => hub.close(),
    },
  }
}
