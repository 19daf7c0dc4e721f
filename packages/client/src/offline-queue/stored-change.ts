import type { Change } from '../state/change.ts'
import type { PendingChange, SentMutation } from '../state/key-state.ts'

/** A change as it is stored: plain data. */
export interface StoredChange {
  readonly change: Exclude<Change, { op: 'update' }>
  readonly sent: SentMutation | undefined
}

/**
 * What of a key's changes can be stored, and need be. The function of an `update` can't: it is kept from when it was sent, as
 * the value that it made on its condition (S9). A sent change keeps the id of the client that sent it, whichever client repeats it (S12).
 */
export function toStored(pending: readonly PendingChange[], clientId: string): StoredChange[] {
  return pending.flatMap(({ change, sent, acked }): StoredChange[] => {
    const kept = change.op === 'update' ? sent && { op: 'set' as const, value: sent.value } : change
    return acked || !kept ? [] : [{ change: kept, sent: sent && { clientId, ...sent } }]
  })
}

/** A stored change as a pending one; no caller awaits it, so a refusal goes to `onRefused`. */
export const fromStored = ({ change, sent }: StoredChange, onRefused: (error: unknown) => void): PendingChange => ({
  change,
  deferred: false,
  waiters: [(error) => void (error !== undefined && onRefused(error))],
  ...(sent && { sent }),
})

/** The changes of an earlier page placed among those of this page: behind what was sent here, before what was not. */
export function withEarlier(pending: readonly PendingChange[], earlier: readonly PendingChange[]): PendingChange[] {
  const unsent = pending.findIndex(({ sent }) => !sent)
  return pending.toSpliced(unsent < 0 ? pending.length : unsent, 0, ...earlier)
}
