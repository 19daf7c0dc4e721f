import { eventSubscriptionSchema } from '@tutti/protocol/schemas'
import { defineHandler } from '../../connection/handler.ts'
import type { EventSubscribers } from '../event-subscribers.ts'
import { hearingOf } from '../hearing-of.ts'

/** `event:subscribe`: a channel or a pattern; what is published after the reply arrives (E3). */
export const subscribeHandler = (subscribers: EventSubscribers) =>
  defineHandler(
    'event:subscribe',
    eventSubscriptionSchema,
    ({ channel }) => [hearingOf(channel)],
    ({ channel }, connection, [verdict]) => {
      subscribers.add(connection, channel, verdict)
      return {}
    },
  )
