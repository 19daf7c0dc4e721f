import { RealtimeError, type Entry } from '@tutti/protocol'

// Errors of both stores, with the same messages.

/** The condition was not met; `entry` is the current entry (S6). */
export const conflict = (entry: Entry): RealtimeError =>
  new RealtimeError('CONFLICT', {
    message: 'Version conflict: the entry has changed. See `entry` for its current value and version.',
    entry,
  })

/** The value is not a number, or JSON cannot represent the sum (S7). */
export const notANumber = (): RealtimeError =>
  new RealtimeError('NOT_A_NUMBER', {
    message: 'Not incremented: the value is not a number, or the sum is not finite or not a safe integer. The value is unchanged.',
  })

/** A later number of the same author was handled (S12). */
export const staleMutation = (): RealtimeError =>
  new RealtimeError('STALE_MUTATION', {
    message: 'Mutation number already used: this client sent another change of the key with this or a later number.',
  })

/** The Redis key contains a list, a hash or another type. */
export const wrongType = (cause?: unknown): RealtimeError =>
  new RealtimeError('WRONG_TYPE', {
    message: 'The Redis key holds a list, hash or other type of another program. Use another key or another `base`.',
    cause,
  })

/** The grant that the write is bound to has ended (L2). */
const lockLost = (): RealtimeError =>
  new RealtimeError('LOCK_LOST', { message: 'The lock that this write is bound to has ended. Nothing was written.' })

/** The key needs a lock that the writer does not have (L5). */
const locked = (): RealtimeError =>
  new RealtimeError('LOCKED', { message: 'The key can only be written by the holder of its lock. Nothing was written.' })

/** The refusal of a guard. */
export const lockRefusal = (verdict: 'lost' | 'locked'): RealtimeError => (verdict === 'lost' ? lockLost() : locked())

/** The deadline had passed before the write began (F2). */
export const late = (): RealtimeError =>
  new RealtimeError('UNAVAILABLE', { message: 'Write deadline exceeded (writeTimeoutMs). The write was not applied and never will be.' })
