import type { RealtimeError } from '@tutti/protocol'
import { neverThere } from '@tutti/protocol/internal'
import type { Connection } from '../connection/connection-contract.ts'
import { inBatches } from '../connection/batches.ts'
import type { RetryContext } from '../connection/retry.ts'
import { createSubscriptions, type Subscriptions } from '../connection/subscriptions.ts'
import type { FetchEntryOptions } from './fetch-entry.ts'
import type { KeyRecord } from './key-record.ts'

/** Dependencies of the subscriptions of keys. */
export interface KeySubscriptionsOptions extends RetryContext {
  connection: Connection
  recordOf: (key: string) => KeyRecord
  take: FetchEntryOptions['take']
  /** Notifies the users of a record. */
  notify: (record: KeyRecord) => void
  /** Sends the first pending change of a record. */
  send: (record: KeyRecord) => void
  /** Forgets a record that is no longer used. */
  collect: (record: KeyRecord) => void
}

/** Makes the subscriptions of a client's keys. The reply to a subscription carries the entries (C2). */
export function createKeySubscriptions(options: KeySubscriptionsOptions): Subscriptions {
  const { connection, recordOf, take, notify, send, collect } = options

  const subscribe = (keys: string[], done: (error?: RealtimeError) => void): void => {
    const requested = keys.map(recordOf).map((record) => ({ record, before: record.state }))
    // The reply carries the entry, so it need not be requested meanwhile.
    for (const { record } of requested) record.fetching = true
    connection.request('storage:subscribe', { keys: requested.map(({ record }) => knownVersion(record)) }, ({ result, error }) => {
      const entries = new Map(result?.entries.map((entry) => [entry.key, entry]))
      for (const { record, before } of requested) {
        record.fetching = false
        if (!result) continue
        record.refused = undefined
        // An unchanged entry is omitted (C2); an unknown one cannot be unchanged.
        take(record, before, entries.get(record.key) ?? (before.confirmed ? undefined : neverThere(record.key)))
        notify(record)
      }
      done(error)
    })
  }

  return createSubscriptions({
    ...options,
    batches: (keys) => inBatches(keys, (key) => knownVersion(recordOf(key)), connection.limits),
    request: (keys, on, done) => {
      if (on) subscribe(keys, done)
      else connection.request('storage:unsubscribe', { keys: keys.map((key) => ({ key })) }, ({ error }) => done(error))
    },
    onRefused: (key, error) => {
      const record = recordOf(key)
      record.refused = error
      notify(record)
      send(record)
    },
    onGone: (key) => collect(recordOf(key)),
  })
}

/** A key and the version that is known of it, so that only what differs is sent (C2). */
const knownVersion = ({ key, state }: KeyRecord): { key: string; version: number | undefined } => ({
  key,
  version: state.confirmed?.version,
})
