import { RealtimeError } from '@tutti/protocol'
import { subscribeSchema } from '@tutti/protocol/schemas'
import type { StateStore } from '@tutti/storage-driver/contract'
import type { Access } from '../../access/question.ts'
import { defineHandler } from '../../handler.ts'
import type { StateSubscribers } from '../state-subscribers.ts'
import type { Turns } from '../turns.ts'
import type { WritesUnderWay } from '../writes-under-way.ts'

/**
 * `storage:subscribe`: the current entries, and every change after them (S2). An entry whose version the client names
 * is left out of the reply (C2).
 */
export const subscribeHandler = (
  store: StateStore,
  subscribers: StateSubscribers,
  turns: Turns,
  underWay: WritesUnderWay,
  maxKeysPerMessage: number,
) =>
  defineHandler(
    'storage:subscribe',
    subscribeSchema,
    ({ keys }) => keys.map(({ key }): Access => ({ action: 'state:read', target: { key } })),
    async ({ keys: asked }, { connection, afterReply }) => {
      if (asked.length > maxKeysPerMessage)
        throw new RealtimeError('TOO_LARGE', { message: `One message may name ${maxKeysPerMessage} keys.` })
      const known = new Map(asked.map(({ key, version }) => [key, version]))
      const keys = [...known.keys()]
      const release = await turns.take(connection)
      try {
        const entries = await subscribers.join(connection, keys, async () => {
          const [read] = await Promise.all([store.read(keys), underWay.answered(connection, keys)])
          return read
        })
        afterReply(() => {
          for (const entry of entries) subscribers.settle(connection, entry)
        })
        return { entries: entries.filter((entry) => entry.version !== known.get(entry.key)) }
      } finally {
        afterReply(release)
      }
    },
  )
