import { MUTATION_MEMORY_MS, RealtimeError } from '@tutti/protocol'
import { runUpdate } from './change.ts'
import type { Clock } from './clock.ts'
import type { Connection, Outcome } from './connection-contract.ts'
import type { KeyRecord } from './key-record.ts'
import {
  conditionOf,
  confirmedValue,
  withAck,
  withAnswer,
  withoutHead,
  type Acknowledgement,
  type KeyState,
  type PendingChange,
  type SentMutation,
} from './key-state.ts'

/** What the queue needs. */
export interface MutationQueueOptions {
  clock: Clock
  connection: Connection
  /** Puts a state that shows the same in the place of a record's. */
  store: (record: KeyRecord, state: KeyState) => void
  /** Puts another state in the place of a record's, and shows it. */
  replace: (record: KeyRecord, state: KeyState) => void
  /** Goes on with whatever the record is waiting for. */
  resume: (record: KeyRecord) => void
}

/** Sends what is pending: each key's changes in order and one at a time, keys beside each other (S12, S14). */
export interface MutationQueue {
  /** Sends the key's first pending change, if it may go now. */
  send(record: KeyRecord): void
}

/** Makes the queue of one client. Its numbers grow with every message, whatever the key. */
export function createMutationQueue({ clock, connection, store, replace, resume }: MutationQueueOptions): MutationQueue {
  let lastNumber = 0

  /** The first pending change as it goes out; throws the error that it ends with. */
  const prepare = ({ state }: KeyRecord, { change, sent }: PendingChange): SentMutation => {
    if (sent) {
      // Beyond the server's memory, sending again could make it happen twice (S12).
      if (clock.now() - sent.sentAt > MUTATION_MEMORY_MS) throw new RealtimeError('OUTCOME_UNKNOWN')
      return sent
    }
    const next = { number: lastNumber + 1, sentAt: clock.now() }
    if (change.op === 'set') return { ...next, value: change.value, ifVersion: conditionOf(state, change.ifVersion) }
    if (change.op !== 'update') return next
    return { ...next, value: runUpdate(change.run, confirmedValue(state)), ifVersion: state.confirmed?.version ?? 0 }
  }

  const send = (record: KeyRecord): void => {
    const { state } = record
    const [head] = state.pending
    if (!connection.up || record.sending || record.retry.waiting || !head || head.held || head.acked) return
    // An update runs on the newest value, so it waits for one.
    if (head.change.op === 'update' && !head.sent && !state.confirmed) {
      if (record.refused) refuse(record, head, record.refused)
      return
    }
    let sent: SentMutation
    try {
      sent = prepare(record, head)
    } catch (error) {
      return refuse(record, head, error)
    }
    lastNumber = Math.max(lastNumber, sent.number)
    record.sending = true
    store(record, { ...state, pending: [{ ...head, sent }, ...state.pending.slice(1)] })
    const asked = record.state
    const answer = (outcome: Outcome<Acknowledgement>): void => {
      if (outcome.result) return finish(record, withAck(record.state, outcome.result), head.waiters)
      const { error } = outcome
      if (error.retryable || error.code === 'OUTCOME_UNKNOWN') {
        record.sending = false
        // With its number it may be asked for again. A lost connection sends all that is pending when it is back.
        if (connection.up) record.retry.plan(() => resume(record), error.retryAfterMs)
        return
      }
      if (error.code !== 'CONFLICT' || !error.entry) return refuse(record, head, error)
      const answered = withAnswer(record.state, asked, error.entry)
      if (head.change.op !== 'update') return finish(record, withoutHead(answered), head.waiters, error)
      // Another condition is another message, with a number of its own.
      const again = { change: head.change, held: false, waiters: head.waiters }
      finish(record, { ...answered, pending: [again, ...answered.pending.slice(1)] }, [])
    }
    const go = (): void => transmit(record.key, head, sent, answer)
    // What goes out before its number is kept could happen twice: now, and under another number after a crash.
    if (record.saved) void record.saved.then(go)
    else go()
  }

  /** Refused for good: taken back alone, the next may go (S13). */
  const refuse = (record: KeyRecord, head: PendingChange, error: unknown): void =>
    finish(record, withoutHead(record.state), head.waiters, error)

  const finish = (record: KeyRecord, state: KeyState, waiters: PendingChange['waiters'], error?: unknown): void => {
    record.retry.reset()
    for (const settle of waiters) settle(error)
    // Until the state is the new one nothing may be sent, and listeners run in here.
    replace(record, state)
    record.sending = false
    send(record)
  }

  const transmit = (
    key: string,
    { change }: PendingChange,
    sent: SentMutation,
    answer: (outcome: Outcome<Acknowledgement>) => void,
  ): void => {
    const { request } = connection
    const { number, clientId, value, ifVersion } = sent
    const target = { key, mutation: { number, clientId } }
    if (change.op === 'increment') request('storage:increment', { ...target, by: change.by, initial: change.initial }, answer)
    else if (change.op === 'patch') request('storage:patch', { ...target, patch: change.patch }, answer)
    else if (value === undefined) request('storage:remove', { ...target, ifVersion }, answer)
    else request('storage:set', { ...target, value, ifVersion }, answer)
  }

  return { send }
}
