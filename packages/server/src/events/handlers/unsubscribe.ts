import { eventSubscriptionSchema } from '@tutti/protocol/schemas'
import { defineHandler } from '../../handler.ts'
import { channelRoom } from '../../inner-rooms.ts'

/** `event:unsubscribe`: nothing on the channel or pattern follows the reply. */
export const unsubscribeHandler = () =>
  defineHandler('event:unsubscribe', eventSubscriptionSchema, ({ channel }, { connection }) => {
    const room = channelRoom(channel)
    connection.leave(room)
    connection.subscriptions.delete(room)
    return {}
  })
