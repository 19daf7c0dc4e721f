import { fromWireError, neverThere, RealtimeError, type Entry, type StateUpdate } from '@tutti/protocol'
import { createRetry } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { Connection, Outcome } from './connection-contract.ts'
import { inBatches } from './payload-size.ts'
import type { KeptChanges } from './kept-changes.ts'
import { createKeyRecord, type KeyRecord, type KeyUser } from './key-record.ts'
import {
  isBehind,
  shownValue,
  withAnswer,
  withChange,
  withReleased,
  withUpdate,
  withWanted,
  type KeyState,
  type PendingChange,
} from './key-state.ts'
import { createMutationQueue } from './mutation-queue.ts'
import { keepIfSame } from './same-json.ts'
import { createSubscriptions } from './subscriptions.ts'

/** What the keys need. */
export interface StateKeysOptions {
  clock: Clock
  random: () => number
  connection: Connection
  /** Unconfirmed changes of the client at most. */
  maxPendingChanges: number
  /** What a server already told of some keys. */
  entries: readonly Entry[]
  /** Keeps the pending changes elsewhere too. */
  keep: KeptChanges | undefined
  onThrow: (error: unknown) => void
}

/** All the keys that a client uses or has changes for. */
export interface StateKeys {
  /** Unconfirmed changes of all keys. */
  readonly pendingCount: number
  /** The key's record, with another user; the first user subscribes it. */
  use(key: string, user: KeyUser): KeyRecord
  /** The last user to leave ends the subscription (S15). */
  leave(record: KeyRecord, user: KeyUser): void
  /** Adds a change and sends it, unless it is held. Throws `OVERFLOW`. */
  add(record: KeyRecord, change: PendingChange): void
  /** Sends what was held. */
  release(record: KeyRecord): void
  /** Asks for the entry now. */
  refresh(record: KeyRecord, done: (error?: RealtimeError) => void): void
  /** All that something is known of. */
  known(): Iterable<KeyRecord>
  /** Hears of every key whose state is another. Returns its undo. */
  watch(listener: (record: KeyRecord) => void): () => void
  /** Takes an entry that was asked for when the key was in the state `asked`. */
  take(record: KeyRecord, asked: KeyState, entry: Entry): void
  receive(record: KeyRecord, update: StateUpdate): void
  /** Replaces the pending changes of a key, e.g. with those of an earlier page among them. */
  rewrite(key: string, run: (pending: readonly PendingChange[]) => readonly PendingChange[]): void
  /** Disposes of every handle. */
  dispose(): void
  /** Ends every pending change with an error. */
  close(): void
}

/** Makes the keys of one client. */
export function createStateKeys(options: StateKeysOptions): StateKeys {
  const { clock, connection, maxPendingChanges, entries, keep } = options
  const newRecord = (key: string, confirmed?: Entry): KeyRecord => createKeyRecord(key, confirmed, createRetry(options))
  const records = new Map(entries.map((entry) => [entry.key, newRecord(entry.key, entry)]))
  let pendingCount = 0
  const listeners = new Set<(record: KeyRecord) => void>()

  const store = (record: KeyRecord, state: KeyState): void => {
    pendingCount += state.pending.length - record.state.pending.length
    if (state.pending !== record.state.pending) record.saved = keep?.save(record.key, state.pending)
    record.state = state
  }

  const replace = (record: KeyRecord, state: KeyState): void => {
    if (state === record.state) return
    store(record, state)
    // Computed and compared once for all users of the key.
    record.shown = keepIfSame(record.shown, shownValue(state))
    tell(record)
    collect(record)
    resume(record)
  }

  const recordOf = (key: string): KeyRecord => {
    const record = records.get(key) ?? newRecord(key)
    records.set(key, record)
    return record
  }

  const tell = (record: KeyRecord): void => {
    for (const user of record.users) user.changed()
    for (const listener of listeners) listener(record)
  }

  const queue = createMutationQueue({ clock, connection, store, replace, resume: (record) => resume(record) })

  /** A record is kept as long as somebody uses it, something is pending, or the server still tells of it. */
  const collect = (record: KeyRecord): void => {
    if (record.users.size > 0 || record.state.pending.length > 0 || subscriptions.has(record.key)) return
    if (records.get(record.key) === record) records.delete(record.key)
    record.retry.reset()
  }

  const fetchEntry = (record: KeyRecord): void => {
    if (record.fetching || record.retry.waiting || !connection.up) return
    record.fetching = true
    ask(record, ({ error }) => {
      record.fetching = false
      if (!error || !connection.up) return
      if (error.retryable) record.retry.plan(() => resume(record), error.retryAfterMs)
      // It can't be had: goes on without.
      else take(record, record.state, undefined)
    })
  }

  const ask = (record: KeyRecord, done: (outcome: Outcome<Entry>) => void): void => {
    const asked = record.state
    connection.request('storage:get', { key: record.key }, (outcome) => {
      done(outcome)
      if (outcome.result) take(record, asked, outcome.result)
    })
  }

  const take = (record: KeyRecord, asked: KeyState, entry: Entry | undefined): void => {
    replace(record, withAnswer(record.state, asked, entry))
    resume(record)
  }

  const receive = (record: KeyRecord, update: StateUpdate): void => replace(record, withUpdate(record.state, update))

  /** Goes on with whatever the record is waiting for. */
  const resume = (record: KeyRecord): void => {
    if (isBehind(record.state)) fetchEntry(record)
    queue.send(record)
  }

  const subscriptions = createSubscriptions({
    ...options,
    batches: (keys) => inBatches(keys, (key) => question(recordOf(key)), connection.limits),
    ask: (keys, on, done) => {
      if (!on) return connection.request('storage:unsubscribe', { keys: keys.map((key) => ({ key })) }, ({ error }) => done(error))
      const asked = keys.map(recordOf).map((record) => ({ record, state: record.state }))
      // The answer brings the entry, so nobody needs to ask for it meanwhile.
      for (const { record } of asked) record.fetching = true
      connection.request('storage:subscribe', { keys: asked.map(({ record }) => question(record)) }, ({ result, error }) => {
        const entries = new Map(result?.entries.map((entry) => [entry.key, entry]))
        for (const { record, state } of asked) {
          record.fetching = false
          if (!result) continue
          record.refused = undefined
          // What is unchanged is left out (C2); what was unknown can't be unchanged.
          take(record, state, entries.get(record.key) ?? (state.confirmed ? undefined : neverThere(record.key)))
          tell(record)
        }
        done(error)
      })
    },
    onRefused: (key, error) => {
      const record = recordOf(key)
      record.refused = error
      tell(record)
      queue.send(record)
    },
    onGone: (key) => collect(recordOf(key)),
  })

  connection.attach({
    onUp: () => {
      // What was under way goes out before the entries are asked for, so that none of them holds it unconfirmed.
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
      if (record) receive(record, update)
    },
  })

  return {
    get pendingCount() {
      return pendingCount
    },
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
      // A change may still wait for the entry, which no subscription brings any more.
      const { state } = record
      if (!state.confirmed && state.pending.length > 0) replace(record, withWanted(state, 1))
      collect(record)
    },
    add: (record, change) => {
      const state = withChange(record.state, change)
      if (state.pending.length > record.state.pending.length && pendingCount >= maxPendingChanges) throw new RealtimeError('OVERFLOW')
      replace(record, state)
    },
    release: (record) => replace(record, withReleased(record.state)),
    refresh: (record, done) => ask(record, ({ error }) => done(error)),
    known: () => records.values(),
    watch: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    take,
    receive,
    dispose: () => {
      for (const { users } of records.values()) for (const user of users) user.dispose()
    },
    rewrite: (key, run) => {
      const record = recordOf(key)
      replace(record, { ...record.state, pending: run(record.state.pending) })
    },
    close: () => {
      keep?.close()
      for (const record of records.values()) {
        const { pending } = record.state
        replace(record, { ...record.state, pending: [] })
        for (const { sent, waiters } of pending) {
          for (const settle of waiters) settle(new RealtimeError(sent || keep ? 'OUTCOME_UNKNOWN' : 'CLOSED'))
        }
      }
    },
  }
}

/** A key and the version that is known of it, so that only what differs comes back (C2). */
const question = ({ key, state }: KeyRecord): { key: string; version: number | undefined } => ({ key, version: state.confirmed?.version })
