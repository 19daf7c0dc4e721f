import { RealtimeError, type Entry } from '@tutti/protocol'

// Refusals that only stores make, each with its words, the same for both stores.

/** The condition did not hold; `entry` is what is there (S6). */
export const conflict = (entry: Entry): RealtimeError =>
  new RealtimeError('CONFLICT', { message: 'Somebody else changed the entry. Read `entry` and decide again.', entry })

/** The value is no number, or the sum would not be one that JSON can carry (S7). */
export const notANumber = (): RealtimeError =>
  new RealtimeError('NOT_A_NUMBER', {
    message: 'Only numbers can be incremented, within the safe integers and finite numbers. The value stays.',
  })

/** A later number of the same author was handled (S12). */
export const staleMutation = (): RealtimeError =>
  new RealtimeError('STALE_MUTATION', { message: 'This number, or a later one, of this client on this key was used by another change.' })

/** Redis holds a list, a hash or the like under the key. */
export const wrongType = (cause?: unknown): RealtimeError =>
  new RealtimeError('WRONG_TYPE', { message: 'Another program stores something under this key that is not a string.', cause })

/** The deadline had passed before the write began (F2). */
export const late = (): RealtimeError =>
  new RealtimeError('UNAVAILABLE', { message: 'The deadline of the write had passed. It was not made and never will be.' })
