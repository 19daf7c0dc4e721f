import { RealtimeError, type Entry } from '@tutti/protocol'

// Errors of both stores, with the same messages.

/** The condition was not met; `entry` is the current entry (S6). */
export const conflict = (entry: Entry): RealtimeError =>
  new RealtimeError('CONFLICT', { message: 'The entry was changed meanwhile. See `entry` for its current value and version.', entry })

/** The value is not a number, or JSON cannot represent the sum (S7). */
export const notANumber = (): RealtimeError =>
  new RealtimeError('NOT_A_NUMBER', {
    message: 'Only a number can be incremented, and the sum must be finite and, as an integer, safe. The value is unchanged.',
  })

/** A later number of the same author was handled (S12). */
export const staleMutation = (): RealtimeError =>
  new RealtimeError('STALE_MUTATION', { message: 'This number, or a later one, of this client on this key was used by another change.' })

/** The Redis key contains a list, a hash or another type. */
export const wrongType = (cause?: unknown): RealtimeError =>
  new RealtimeError('WRONG_TYPE', { message: 'Another program stores a value under this key that is not a Redis string.', cause })

/** The deadline had passed before the write began (F2). */
export const late = (): RealtimeError =>
  new RealtimeError('UNAVAILABLE', { message: 'The deadline of the write has passed. The write was not applied and never will be.' })
