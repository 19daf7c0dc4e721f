import type { Change } from '../state/change.ts'
import type { PendingChange, SentMutation } from '../state/key-state.ts'

/** A change as it is stored: plain data. */
export interface StoredChange {
  readonly change: Exclude<Change, { op: 'update' }>
  readonly sent: SentMutation | undefined
  readonly lock?: PendingChange['lock']
}

/**
 * The changes of a key that can and must be stored. The function of an `update` cannot be stored: the change is stored once it
 * is sent, as the resulting value with its condition (S9). A sent change keeps the ID of the client that sent it, regardless of
 * which client repeats it (S12).
 */
export function toStored(pending: readonly PendingChange[], clientId: string): StoredChange[] {
  return pending.flatMap(({ change, sent, acked, lock }): StoredChange[] => {
    const kept = change.op === 'update' ? sent && { op: 'set' as const, value: sent.value } : change
    return acked || !kept ? [] : [{ change: kept, sent: sent && { clientId, ...sent }, ...(lock && { lock }) }]
  })
}

/** A stored change as a pending one; no caller awaits it, so a refusal goes to `onRefused`. */
export const fromStored = ({ change, sent, lock }: StoredChange, onRefused: (error: unknown) => void): PendingChange => ({
  change,
  deferred: false,
  waiters: [(error) => void (error !== undefined && onRefused(error))],
  ...(sent && { sent }),
  ...(lock && { lock }),
})

/** The changes of an earlier page inserted among those of this page: after the sent ones and before the unsent ones. */
export function withEarlier(pending: readonly PendingChange[], earlier: readonly PendingChange[]): PendingChange[] {
  const unsent = pending.findIndex(({ sent }) => !sent)
  return pending.toSpliced(unsent < 0 ? pending.length : unsent, 0, ...earlier)
}
