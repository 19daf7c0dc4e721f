import type { Core, Feature } from '../feature.ts'
import { EventHub } from './event-hub.ts'
import { EventSubscribers } from './event-subscribers.ts'
import { publishHandler } from './handlers/publish.ts'
import { subscribeHandler } from './handlers/subscribe.ts'
import { unsubscribeHandler } from './handlers/unsubscribe.ts'
import { createServerEvents, type ServerEvents } from './server-events.ts'

/** Events: what `event:*` messages do, and `realtime.events`. Ready once other instances are heard. */
export function eventsFeature(core: Core): { feature: Feature; events: ServerEvents; ready: Promise<void> } {
  const subscribers = new EventSubscribers(core)
  const hub = new EventHub(core, subscribers)
  return {
    ready: hub.ready,
    events: createServerEvents(
      (event) => hub.publish(event),
      (pattern, listener) => hub.listen(pattern, listener),
    ),
    feature: {
      name: 'events',
      handlers: [publishHandler(hub), subscribeHandler(subscribers), unsubscribeHandler(subscribers)],
      onDisconnect: (connection) => subscribers.leaveAll(connection),
      holds: (connection) => subscribers.heldBy(connection),
      apply: (connection, access, verdict) => subscribers.apply(connection, access, verdict),
      close: async () => hub.close(),
    },
  }
}
