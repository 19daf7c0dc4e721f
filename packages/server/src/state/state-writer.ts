import { RealtimeError } from '@tutti/protocol'
import type { Mutation, StateStore, WriteResult } from '@tutti/storage-driver/contract'
import type { Connection } from '../connection.ts'
import type { StateSubscribers } from './state-subscribers.ts'

/** Writes for connections. */
export interface StateWriter {
  write(mutation: Mutation, connection: Connection): Promise<WriteResult>
}

/**
 * Writes to the store. A writer is not told of its own change, because the reply does that; where the reply can't say
 * what became of it, the writer is told like everybody else once the store can be read again (F2).
 */
export const createStateWriter = (store: StateStore, subscribers: StateSubscribers): StateWriter => ({
  write: async (mutation, connection) => {
    try {
      const result = await store.write(mutation)
      subscribers.know(mutation.key, result.version)
      return result
    } catch (error) {
      if (error instanceof RealtimeError && error.entry !== undefined) subscribers.know(mutation.key, error.entry.version)
      if (error instanceof RealtimeError && error.code === 'OUTCOME_UNKNOWN') subscribers.leaveInDoubt(connection, mutation.key)
      throw error
    }
  },
})
