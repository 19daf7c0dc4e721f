import { eventSubscriptionSchema } from '@tutti/protocol/schemas'
import { defineHandler } from '../../connection/handler.ts'
import type { EventSubscribers } from '../event-subscribers.ts'

/** `event:unsubscribe`: nothing on the channel or pattern follows the reply. */
export const unsubscribeHandler = (subscribers: EventSubscribers) =>
  defineHandler(
    'event:unsubscribe',
    eventSubscriptionSchema,
    () => [],
    ({ channel }, connection) => {
      subscribers.delete(connection, channel)
      return {}
    },
  )
