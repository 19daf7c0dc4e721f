import { isPattern } from '@tutti/protocol/internal'
import { eventHistorySchema, eventPublishSchema, eventSubscribeSchema, eventUnsubscribeSchema } from '@tutti/protocol/internal/schemas'
import { channelRoom, logRoom } from '../connection/subscription-names.ts'
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
  /** Events of a durable channel. */
  readonly history: Handler<'event:history'>
}

/** Makes the handlers. */
export const createEventHandlers = (hub: EventHub, subscribers: EventSubscribers): EventHandlers => ({
  publish: defineHandler(
    'event:publish',
    eventPublishSchema,
    ({ channel, data }) => [{ action: 'event:publish', target: { channel }, value: data }],
    async ({ channel, data, includeSelf, id, durable }, connection) => {
      const offset = await hub.publish({ channel, data }, { connection, includeSelf, id, durable })
      return offset === undefined ? {} : { offset }
    },
  ),
  subscribe: defineHandler(
    'event:subscribe',
    eventSubscribeSchema,
    ({ channel }) => [subscribeAccess(channel)],
    (payload, connection, [verdict]) => {
      const { channel, durable } = payload
      if (durable === true || hub.durable.isDurable(channel)) return hub.durable.subscribe(connection, payload)
      const room = channelRoom(channel)
      const wasSubscribed = connection.subscriptions.has(room)
      subscribers.add(connection, channel, verdict)
      if (!isPattern(channel) || !hub.durable.hasRows) return {}
      const refuse = (error: unknown): never => {
        if (!wasSubscribed) subscribers.delete(connection, room)
        throw error
      }
      // What is published after the reply is received, also on durable channels of other instances.
      return hub.durable.follow(channel).then(() => ({}), refuse)
    },
  ),
  unsubscribe: defineHandler(
    'event:unsubscribe',
    eventUnsubscribeSchema,
    () => [],
    ({ channel, durable }, connection) => {
      subscribers.delete(connection, durable === true ? logRoom(channel) : channelRoom(channel))
      return {}
    },
  ),
  history: defineHandler(
    'event:history',
    eventHistorySchema,
    ({ channel }) => [subscribeAccess(channel)],
    (payload) => hub.durable.history(payload),
  ),
})
