import { RealtimeError } from '@tutti/protocol'
import type { Mutation, StateStore, WriteResult } from '@tutti/storage-driver/contract'
import type { RequestContext } from '../connection/handler.ts'
import type { StateSubscribers } from './state-subscribers.ts'
import type { WritesUnderWay } from './writes-under-way.ts'

/** Writes for connections. */
export interface StateWriter {
  write(mutation: Mutation, context: RequestContext): Promise<WriteResult>
}

/**
 * Writes to the store. A writer is not told of its own change, because the reply does that, in its place among the changes
 * of others (S2). Where the reply can't say what became of it, the writer is told like everybody else once the store can
 * be read again (F2).
 */
export const createStateWriter = (store: StateStore, subscribers: StateSubscribers, underWay: WritesUnderWay): StateWriter => ({
  write: async (mutation, { connection, decide, beforeReply, afterReply }) => {
    const { key } = mutation
    const answered = underWay.begin(connection, key)
    const endWrite = subscribers.beginWrite(connection, key)
    let written = -1
    let told = -1
    beforeReply(() => subscribers.tellBefore(connection, key, written))
    afterReply(() => {
      endWrite(told)
      answered()
    })
    try {
      const result = await store.write(mutation)
      written = result.version
      // Who patched together with others has no value from the reply, and takes it from the change (S8).
      told = result.base === result.version ? result.version - 1 : result.version
      return result
    } catch (error) {
      if (!(error instanceof RealtimeError)) throw error
      if (error.entry !== undefined) written = told = error.entry.version
      if (showsStored(error, mutation)) {
        // A user who may write and not read gets the code alone.
        const verdict = await decide({ action: 'state:read', target: { key } })
        if ('refusal' in verdict) throw new RealtimeError(error.code, { message: error.message, cause: error })
      }
      if (error.code === 'OUTCOME_UNKNOWN') {
        // Who numbers its mutations asks again, and is answered then.
        if (mutation.author === undefined) subscribers.loseAnswer(connection, key)
        else subscribers.leaveInDoubt(connection, key)
      }
      throw error
    } finally {
      subscribers.noteWritten(connection, key, written)
    }
  },
})

/** Whether the error carries a part of what is stored: the entry of a conflict, or what a schema says of a result. */
const showsStored = ({ entry, issues }: RealtimeError, { op }: Mutation): boolean =>
  entry !== undefined || (issues !== undefined && (op === 'patch' || op === 'increment'))
