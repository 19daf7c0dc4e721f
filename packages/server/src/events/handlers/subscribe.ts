import { eventSubscriptionSchema } from '@tutti/protocol/schemas'
import { defineHandler } from '../../handler.ts'
import { channelRoom } from '../../inner-rooms.ts'

/** `event:subscribe`: a channel or a pattern; what is published after the reply arrives (E3). */
export const subscribeHandler = () =>
  defineHandler('event:subscribe', eventSubscriptionSchema, ({ channel }, { connection }) => {
    const room = channelRoom(channel)
    connection.subscriptions.add([room])
    connection.join(room)
    return {}
  })
