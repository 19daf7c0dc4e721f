import { RealtimeError, type Entry } from '@tutti/protocol'

// Errors that only stores throw, with the same message from both stores.

/** The condition did not hold; `entry` is what is there (S6). */
export const conflict = (entry: Entry): RealtimeError =>
  new RealtimeError('CONFLICT', { message: 'The entry was changed meanwhile. See `entry` for its current value and version.', entry })

/** The value is no number, or the sum would not be one that JSON can carry (S7). */
export const notANumber = (): RealtimeError =>
  new RealtimeError('NOT_A_NUMBER', {
    message: 'Only a number can be incremented, and the sum must be finite and, as an integer, safe. The value is unchanged.',
  })

/** A later number of the same author was handled (S12). */
export const staleMutation = (): RealtimeError =>
  new RealtimeError('STALE_MUTATION', { message: 'This number, or a later one, of this client on this key was used by another change.' })

/** Redis holds a list, a hash or the like under the key. */
export const wrongType = (cause?: unknown): RealtimeError =>
  new RealtimeError('WRONG_TYPE', { message: 'Another program stores a value under this key that is not a Redis string.', cause })

/** The deadline had passed before the write began (F2). */
export const late = (): RealtimeError =>
  new RealtimeError('UNAVAILABLE', { message: 'The deadline of the write has passed. The write was not applied and never will be.' })
