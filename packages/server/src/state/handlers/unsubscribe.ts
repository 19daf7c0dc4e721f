import { unsubscribeSchema } from '@tutti/protocol/schemas'
import { defineHandler } from '../../connection/handler.ts'
import type { StateSubscribers } from '../state-subscribers.ts'
import type { Turns } from '../turns.ts'

/** `storage:unsubscribe`: no change of these keys, or of what is below the prefix, follows the reply. What was not subscribed is passed over. */
export const unsubscribeHandler = (subscribers: StateSubscribers, turns: Turns) =>
  defineHandler(
    'storage:unsubscribe',
    unsubscribeSchema,
    () => [],
    async (message, { connection, afterReply }) => {
      afterReply(await turns.take(connection))
      if ('prefix' in message) subscribers.ofPrefixes.leave(connection, message.prefix)
      else for (const { key } of message.keys) subscribers.leave(connection, key)
      return {}
    },
  )
