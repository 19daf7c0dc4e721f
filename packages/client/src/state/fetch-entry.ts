import type { Entry, RealtimeError } from '@tutti/protocol'
import { mayRepeat } from '@tutti/protocol/internal'
import type { Connection } from '../connection/connection-contract.ts'
import type { KeyRecord } from './key-record.ts'
import type { KeyState } from './key-state.ts'

/** Dependencies of a request for an entry. */
export interface FetchEntryOptions {
  connection: Connection
  /** Takes the entry that was requested in the state `before`; `undefined`: it cannot be read. */
  take: (record: KeyRecord, before: KeyState, entry: Entry | undefined) => void
  /** Continues with what the record waits for. */
  resume: (record: KeyRecord) => void
}

/**
 * Requests the entry of a key. Without `done` the client needs it itself: one request at a time, repeated until it is answered or
 * refused for good. With `done` the application requested it: it is sent in any case, and once.
 */
export type FetchEntry = (record: KeyRecord, done?: (error?: RealtimeError) => void) => void

/** Makes the requests for entries of one client. */
export function createFetchEntry({ connection, take, resume }: FetchEntryOptions): FetchEntry {
  return (record, done) => {
    if (!done) {
      if (record.fetching || record.retry.waiting || !connection.up) return
      record.fetching = true
    }
    const before = record.state
    connection.request('storage:get', { key: record.key }, ({ result, error }) => {
      if (done) done(error)
      else record.fetching = false
      if (result) return take(record, before, result)
      if (done || !connection.up) return
      if (mayRepeat(error)) record.retry.plan(() => resume(record), error.retryAfterMs)
      // Refused for good: continues without the entry.
      else take(record, record.state, undefined)
    })
  }
}
