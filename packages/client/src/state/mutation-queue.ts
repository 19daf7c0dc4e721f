import { RealtimeError } from '@tutti/protocol'
import { mayRepeat, MUTATION_MEMORY_MS, valueOf } from '@tutti/protocol/internal'
import { runUpdate } from './change.ts'
import type { Clock } from '../connection/clock.ts'
import type { Connection, RequestResult } from '../connection/connection-contract.ts'
import type { KeyRecord } from './key-record.ts'
import {
  appendChange,
  conditionOf,
  withAck,
  withAnswer,
  withoutHead,
  withReleased,
  type Acknowledgement,
  type KeyState,
  type PendingChange,
  type SentMutation,
} from './key-state.ts'
import type { PendingChangeStore } from './pending-change-store.ts'

/** Dependencies of the queue. */
export interface MutationQueueOptions {
  clock: Clock
  connection: Connection
  /** Unconfirmed changes of the client at most. */
  maxPendingChanges: number
  /** Where unconfirmed changes outlive the page. */
  store: PendingChangeStore | undefined
  records: ReadonlyMap<string, KeyRecord>
  recordOf: (key: string) => KeyRecord
  /** Replaces the state of a record, and shows it. */
  replace: (record: KeyRecord, state: KeyState) => void
  /** Continues with what the record waits for. */
  resume: (record: KeyRecord) => void
}

/** The unconfirmed changes of a client: each key's are sent in order and one at a time, keys beside each other. */
export interface MutationQueue {
  /** Unconfirmed changes of all keys. */
  pendingCount(): number
  /** Adds a change and sends it, unless it is to wait. Throws `OVERFLOW`. */
  add(record: KeyRecord, change: PendingChange): void
  /** Sends the changes that wait for it. */
  release(record: KeyRecord): void
  /** Sends the key's first pending change, if it may be sent now. */
  send(record: KeyRecord): void
  /** Replaces the state of a record, and stores its pending changes. */
  store(record: KeyRecord, state: KeyState): void
  /** Replaces the pending changes of a key by the result of `run`, for example to insert those of an earlier page. */
  adopt(key: string, run: (pending: readonly PendingChange[]) => readonly PendingChange[]): void
  /** Ends every pending change with an error. */
  close(): void
}

/** Creates the queue of one client. Its numbers increase with every message of any key. */
export function createMutationQueue(options: MutationQueueOptions): MutationQueue {
  const { clock, connection, maxPendingChanges, records, recordOf, replace, resume } = options
  let lastNumber = 0
  let pendingCount = 0

  const store = (record: KeyRecord, state: KeyState): void => {
    pendingCount += state.pending.length - record.state.pending.length
    if (state.pending !== record.state.pending) record.saved = options.store?.save(record.key, state.pending)
    record.state = state
  }

  /** The first pending change as it is sent; throws its final error. */
  const prepare = (state: KeyState, { change, sent }: PendingChange): SentMutation => {
    if (sent) {
      // Beyond the server's memory it could take effect twice (S12).
      if (clock.now() - sent.sentAt > MUTATION_MEMORY_MS) throw new RealtimeError('OUTCOME_UNKNOWN')
      return sent
    }
    const { confirmed } = state
    const next = { number: lastNumber + 1, sentAt: clock.now() }
    if (change.op === 'set') return { ...next, value: change.value, ifVersion: conditionOf(state, change.ifVersion) }
    if (change.op !== 'update') return next
    return { ...next, value: runUpdate(change.run, confirmed && valueOf(confirmed)), ifVersion: confirmed?.version ?? 0 }
  }

  const send = (record: KeyRecord): void => {
    const { state, key } = record
    const [head, ...others] = state.pending
    if (!connection.up || record.sending || record.retry.waiting || !head || head.deferred || head.acked) return
    const { change, waiters, lock } = head
    /** Continues with the next change after the outcome of this one. */
    const finish = (next: KeyState, error?: unknown, ended = waiters): void => {
      record.retry.reset()
      for (const settle of ended) settle(error)
      // The state must be replaced before anything else is sent, and listeners run in this call.
      replace(record, next)
      record.sending = false
      send(record)
    }
    /** Refused for good: only this change is reverted (S13). */
    const refuse = (error: unknown): void => finish(withoutHead(record.state), error)
    // A server without locks would ignore what the change is bound to.
    if (lock && !connection.features.includes('lock'))
      return refuse(new RealtimeError('UNSUPPORTED', { message: 'Not sent: bound to a lock, and the server has no locks.' }))
    // An update runs on the newest value, so it waits for one.
    if (change.op === 'update' && !head.sent && !state.confirmed) {
      if (record.refused) refuse(record.refused)
      return
    }
    let sent: SentMutation
    try {
      sent = prepare(state, head)
    } catch (error) {
      return refuse(error)
    }
    const { number, clientId, value, ifVersion } = sent
    lastNumber = Math.max(lastNumber, number)
    record.sending = true
    store(record, { ...state, pending: [{ ...head, sent }, ...others] })
    const before = record.state
    const answer = ({ result, error }: RequestResult<Acknowledgement>): void => {
      if (result) return finish(withAck(record.state, result))
      if (mayRepeat(error)) {
        record.sending = false
        // By its number it may be sent again. After a lost connection all pending changes are.
        if (connection.up) record.retry.plan(() => resume(record), error.retryAfterMs)
        return
      }
      if (error.code !== 'CONFLICT' || !error.entry) return refuse(error)
      const answered = withAnswer(record.state, before, error.entry)
      if (change.op !== 'update') return finish(withoutHead(answered), error)
      // Another condition is another message, with its own number.
      finish({ ...answered, pending: [{ change, deferred: false, waiters, lock }, ...answered.pending.slice(1)] }, undefined, [])
    }
    const transmit = (): void => {
      const { request } = connection
      const target = { key, mutation: { number, clientId }, lock }
      if (change.op === 'increment') request('storage:increment', { ...target, by: change.by, initial: change.initial }, answer)
      else if (change.op === 'patch') request('storage:patch', { ...target, patch: change.patch }, answer)
      else if (value === undefined) request('storage:remove', { ...target, ifVersion }, answer)
      else request('storage:set', { ...target, value, ifVersion }, answer)
    }
    // If a mutation were sent before its number is stored, it could take effect twice: now, and under another number after a
    // crash.
    if (record.saved) void record.saved.then(transmit)
    else transmit()
  }

  return {
    pendingCount: () => pendingCount,
    add: (record, change) => {
      const { state } = record
      const pending = appendChange(state.pending, change)
      if (pending.length > state.pending.length && pendingCount >= maxPendingChanges)
        throw new RealtimeError('OVERFLOW', { message: `Too many unconfirmed changes (maxPendingChanges: ${maxPendingChanges}).` })
      replace(record, { ...state, pending })
    },
    release: (record) => replace(record, withReleased(record.state)),
    send,
    store,
    adopt: (key, run) => {
      const record = recordOf(key)
      replace(record, { ...record.state, pending: run(record.state.pending) })
    },
    close: () => {
      options.store?.close()
      for (const record of records.values()) {
        const { pending } = record.state
        replace(record, { ...record.state, pending: [] })
        for (const { sent, waiters } of pending) {
          for (const settle of waiters) settle(new RealtimeError(sent || options.store ? 'OUTCOME_UNKNOWN' : 'CLOSED'))
        }
      }
    },
  }
}
