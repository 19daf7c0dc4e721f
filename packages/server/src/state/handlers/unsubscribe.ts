import { unsubscribeSchema } from '@tutti/protocol/schemas'
import { defineHandler } from '../../handler.ts'
import type { StateSubscribers } from '../state-subscribers.ts'
import type { Turns } from '../turns.ts'

/** `storage:unsubscribe`: no change of these keys follows the reply. Keys that were not subscribed are passed over. */
export const unsubscribeHandler = (subscribers: StateSubscribers, turns: Turns) =>
  defineHandler(
    'storage:unsubscribe',
    unsubscribeSchema,
    () => [],
    async ({ keys }, { connection, afterReply }) => {
      afterReply(await turns.take(connection))
      for (const { key } of keys) subscribers.leave(connection, key)
      return {}
    },
  )
