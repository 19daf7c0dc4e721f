import type { Core, Feature } from '../feature.ts'
import { EventHub } from './event-hub.ts'
import { publishHandler } from './handlers/publish.ts'
import { subscribeHandler } from './handlers/subscribe.ts'
import { unsubscribeHandler } from './handlers/unsubscribe.ts'
import { createServerEvents, type ServerEvents } from './server-events.ts'

/** Events: what `event:*` messages do, and `realtime.events`. Ready once other instances are heard. */
export function eventsFeature(core: Core): { feature: Feature; events: ServerEvents; ready: Promise<void> } {
  const hub = new EventHub(core)
  return {
    ready: hub.ready,
    events: createServerEvents(
      (event) => hub.publish(event),
      (pattern, listener) => hub.listen(pattern, listener),
    ),
    feature: {
      name: 'events',
      handlers: [publishHandler(hub), subscribeHandler(), unsubscribeHandler()],
      close: async () => hub.close(),
    },
  }
}
