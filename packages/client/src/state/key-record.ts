import { valueOf, type Entry, type JsonValue, type RealtimeError } from '@tutti/protocol'
import type { Retry } from '../connection/retry.ts'
import { unknownKey, type KeyState } from './key-state.ts'

/** What a handle is to the key it uses. */
export interface KeyUser {
  /** Somebody else brings the entry: it needs no subscription of the key. */
  readonly isFed?: true
  /** The key's state is another. */
  changed(): void
  dispose(): void
}

/** One key of a client, shared by all its handles (S15). */
export interface KeyRecord {
  readonly key: string
  readonly users: Set<KeyUser>
  /** What is to be tried again: the first pending change, or the question for the entry. */
  readonly retry: Retry
  state: KeyState
  /** The value to show in this state; the same object as long as it is the same JSON. */
  shown: JsonValue | undefined
  /** Why the server does not let this client read it. */
  refused: RealtimeError | undefined
  /** Settles when the pending changes are kept; `undefined` where nobody keeps them. */
  saved: Promise<void> | undefined
  /** A change of this key is unanswered (S12: at most one). */
  sending: boolean
  /** The entry was asked for and has not come. */
  fetching: boolean
}

/** A key of which nothing is known but perhaps an entry that somebody else was told. */
export const createKeyRecord = (key: string, confirmed: Entry | undefined, retry: Retry): KeyRecord => ({
  key,
  users: new Set(),
  retry,
  state: { ...unknownKey(key), confirmed },
  shown: confirmed && valueOf(confirmed),
  refused: undefined,
  saved: undefined,
  sending: false,
  fetching: false,
})
