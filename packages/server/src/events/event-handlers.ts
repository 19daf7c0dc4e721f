import { eventPublishSchema, eventSubscriptionSchema } from '@tutti/protocol/schemas'
import { defineHandler, type Handler } from '../connection/handler.ts'
import type { EventHub } from './event-hub.ts'
import { subscribeAccess, type EventSubscribers } from './event-subscribers.ts'

/** The handlers of events. */
export interface EventHandlers {
  /** To every subscriber in the cluster; to the publishing connection only with `includeSelf` (E2). */
  readonly publish: Handler<'event:publish'>
  /** A channel or a pattern; what is published after the reply arrives (E3). */
  readonly subscribe: Handler<'event:subscribe'>
  /** Nothing on the channel or pattern follows the reply. */
  readonly unsubscribe: Handler<'event:unsubscribe'>
}

/** Makes the handlers. */
export const createEventHandlers = (hub: EventHub, subscribers: EventSubscribers): EventHandlers => ({
  publish: defineHandler(
    'event:publish',
    eventPublishSchema,
    ({ channel, data }) => [{ action: 'event:publish', target: { channel }, value: data }],
    async ({ channel, data, includeSelf = false }, connection) => {
      await hub.publish({ channel, data }, includeSelf ? undefined : connection.id)
      return {}
    },
  ),
  subscribe: defineHandler(
    'event:subscribe',
    eventSubscriptionSchema,
    ({ channel }) => [subscribeAccess(channel)],
    ({ channel }, connection, [verdict]) => {
      subscribers.add(connection, channel, verdict)
      return {}
    },
  ),
  unsubscribe: defineHandler(
    'event:unsubscribe',
    eventSubscriptionSchema,
    () => [],
    ({ channel }, connection) => {
      subscribers.delete(connection, channel)
      return {}
    },
  ),
})
