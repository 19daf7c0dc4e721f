import { RealtimeError } from '@tutti/protocol'
import { getSchema } from '@tutti/protocol/schemas'
import type { StateStore } from '@tutti/storage-driver/contract'
import { defineHandler } from '../../handler.ts'

/** `storage:get`: the current entry. */
export const getHandler = (store: StateStore) => defineHandler('storage:get', getSchema, async ({ key }) => readOne(store, key))

/** The entry of one key. */
export async function readOne(store: StateStore, key: string) {
  const [entry] = await store.read([key])
  if (entry === undefined) throw new RealtimeError('INTERNAL')
  return entry
}
