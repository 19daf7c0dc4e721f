import { RealtimeError } from '@tutti/protocol'
import { getSchema } from '@tutti/protocol/schemas'
import type { StateStore } from '@tutti/storage-driver/contract'
import { defineHandler } from '../../handler.ts'
import type { StateSubscribers } from '../state-subscribers.ts'
import type { WritesUnderWay } from '../writes-under-way.ts'

/** `storage:get`: the current entry. */
export const getHandler = (store: StateStore, subscribers: StateSubscribers, underWay: WritesUnderWay) =>
  defineHandler('storage:get', getSchema, async ({ key }, { connection }) => {
    const [entry] = await Promise.all([readOne(store, key), underWay.answered(connection, [key])])
    subscribers.know(key, entry.version)
    return entry
  })

/** The entry of one key. */
export async function readOne(store: StateStore, key: string) {
  const [entry] = await store.read([key])
  if (entry === undefined) throw new RealtimeError('INTERNAL')
  return entry
}
