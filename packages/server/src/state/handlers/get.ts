import { RealtimeError } from '@tutti/protocol'
import { getSchema } from '@tutti/protocol/schemas'
import type { StateStore } from '@tutti/storage-driver/contract'
import type { Access } from '../../access/question.ts'
import { defineHandler } from '../../handler.ts'
import type { StateSubscribers } from '../state-subscribers.ts'
import type { WritesUnderWay } from '../writes-under-way.ts'

const readsOf = ({ key }: { key: string }): Access[] => [{ action: 'state:read', target: { key } }]

/** `storage:get`: the current entry. */
export const getHandler = (store: StateStore, subscribers: StateSubscribers, underWay: WritesUnderWay) =>
  defineHandler('storage:get', getSchema, readsOf, async ({ key }, { connection }) => {
    const [entry] = await Promise.all([readOne(store, key), underWay.answered(connection, (written) => written === key)])
    subscribers.know(key, entry.version)
    return entry
  })

/** The entry of one key. */
export async function readOne(store: StateStore, key: string) {
  const [entry] = await store.read([key])
  if (entry === undefined) throw new RealtimeError('INTERNAL')
  return entry
}
