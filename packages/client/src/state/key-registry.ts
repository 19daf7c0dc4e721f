import { fromWireError, type Entry, type StateUpdate } from '@tutti/protocol'
import { valueOf } from '@tutti/protocol/internal'
import { createRetry, type RetryContext } from '../connection/retry.ts'
import type { Connection } from '../connection/connection-contract.ts'
import { createFetchEntry, type FetchEntry } from './fetch-entry.ts'
import { isSameJson } from './keep-references.ts'
import { createKeyRecord, type KeyRecord, type KeyUser } from './key-record.ts'
import { withAnswer, withChanges, withUpdate, withWanted, type KeyState } from './key-state.ts'
import { createKeySubscriptions } from './key-subscriptions.ts'
import { createMutationQueue, type MutationQueue } from './mutation-queue.ts'
import type { PendingChangeStore } from './pending-change-store.ts'

/** Dependencies of the registry. */
export interface KeyRegistryOptions extends RetryContext {
  connection: Connection
  /** Unconfirmed changes of the client at most. */
  maxPendingChanges: number
  /** Entries that a server rendered into the page. */
  entries: readonly Entry[]
  /** Where unconfirmed changes outlive the page. */
  store: PendingChangeStore | undefined
}

/** The records of all keys that a client uses or has changes for. */
export interface KeyRegistry extends Pick<MutationQueue, 'add' | 'release' | 'adopt' | 'close' | 'pendingCount'> {
  /** The key's record, with another user; the first user subscribes it. */
  use(key: string, user: KeyUser): KeyRecord
  /** The last user to leave ends the subscription. */
  leave(record: KeyRecord, user: KeyUser): void
  /** Requests the entry now. */
  readonly refresh: FetchEntry
  /** All records. */
  known(): Iterable<KeyRecord>
  /** Calls the listener with each record whose state has changed. Returns an unsubscribe function. */
  watch(listener: (record: KeyRecord) => void): () => void
  /** Takes an entry that was requested when the key was in the state `before`. */
  take(record: KeyRecord, before: KeyState, entry: Entry): void
  receive(record: KeyRecord, update: StateUpdate): void
}

/** Makes the registry of one client. */
export function createKeyRegistry(options: KeyRegistryOptions): KeyRegistry {
  const { connection } = options
  const newRecord = (key: string, confirmed?: Entry): KeyRecord => createKeyRecord(key, confirmed, createRetry(options))
  const records = new Map(options.entries.map((entry) => [entry.key, newRecord(entry.key, entry)]))
  const listeners = new Set<(record: KeyRecord) => void>()

  const recordOf = (key: string): KeyRecord => {
    const record = records.get(key) ?? newRecord(key)
    records.set(key, record)
    return record
  }

  /** Replaces the state of a record, and shows it. */
  const replace = (record: KeyRecord, state: KeyState): void => {
    if (state === record.state) return
    queue.store(record, state)
    // Computed and compared once for all users of the key.
    const { confirmed, pending } = state
    const shown = withChanges(confirmed && valueOf(confirmed), pending)
    if (!isSameJson(record.shown, shown)) record.shown = shown
    notify(record)
    collect(record)
    resume(record)
  }

  const notify = (record: KeyRecord): void => {
    for (const user of record.users) user.changed()
    for (const listener of listeners) listener(record)
  }

  /** A record is retained as long as it is used, a change is pending, or the server may send updates of it. */
  const collect = (record: KeyRecord): void => {
    if (record.users.size > 0 || record.state.pending.length > 0 || subscriptions.has(record.key)) return
    if (records.get(record.key) === record) records.delete(record.key)
    record.retry.reset()
  }

  /** Continues with what the record waits for. */
  const resume = (record: KeyRecord): void => {
    if (record.state.wanted > 0) fetchEntry(record)
    queue.send(record)
  }

  const take = (record: KeyRecord, before: KeyState, entry: Entry | undefined): void => {
    replace(record, withAnswer(record.state, before, entry))
    resume(record)
  }

  const fetchEntry = createFetchEntry({ connection, take, resume })
  const queue = createMutationQueue({ ...options, records, recordOf, replace, resume })
  const subscriptions = createKeySubscriptions({ ...options, recordOf, take, notify, send: queue.send, collect })

  connection.attach({
    onUp: () => {
      // Sent mutations are repeated before entries are requested, so that no entry includes a mutation that is still
      // unconfirmed here.
      for (const record of records.values()) queue.send(record)
      subscriptions.restore()
      for (const record of records.values()) resume(record)
    },
    onDown: () => {
      subscriptions.lose()
      for (const record of records.values()) {
        record.retry.reset()
        collect(record)
      }
    },
    'server:revoked': ({ target, error }) => {
      if ('key' in target) subscriptions.revoke(target.key, fromWireError(error))
    },
    'storage:updated': (update) => {
      const record = records.get(update.key)
      if (record) replace(record, withUpdate(record.state, update))
    },
  })

  return {
    ...queue,
    use: (key, user) => {
      const record = recordOf(key)
      record.users.add(user)
      if (!user.isFed) subscriptions.want(key)
      return record
    },
    leave: (record, user) => {
      record.users.delete(user)
      if (![...record.users].some(({ isFed }) => !isFed)) subscriptions.unwant(record.key)
      if (record.users.size > 0) return
      // A change may still wait for the entry, which no subscription delivers any more.
      const { state } = record
      if (!state.confirmed && state.pending.length > 0) replace(record, withWanted(state, 1))
      collect(record)
    },
    refresh: fetchEntry,
    known: () => records.values(),
    watch: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    take,
    receive: (record, update) => replace(record, withUpdate(record.state, update)),
  }
}
