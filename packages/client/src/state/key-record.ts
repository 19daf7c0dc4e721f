import type { Entry, JsonValue, RealtimeError } from '@tutti/protocol'
import { valueOf } from '@tutti/protocol/internal'
import type { Retry } from '../connection/retry.ts'
import { unknownKey, type KeyState } from './key-state.ts'

/** A handle or collection that uses a key. */
export interface KeyUser {
  /** Another subscription delivers the entry: the key needs none. */
  readonly isFed?: true
  /** The key's state has changed. */
  changed(): void
  dispose(): void
}

/** One key of a client, shared by all its handles. */
export interface KeyRecord {
  readonly key: string
  readonly users: Set<KeyUser>
  /** The retry of the first pending change, or of the request for the entry. */
  readonly retry: Retry
  state: KeyState
  /** The value to show in this state; the same object as long as it is the same JSON. */
  shown: JsonValue | undefined
  /** Why the server refuses this client to read it. */
  refused?: RealtimeError | undefined
  /** Settles when the pending changes are stored; `undefined` without an offline queue. */
  saved?: Promise<void> | undefined
  /** A change of this key is unanswered (S12: at most one). */
  sending?: boolean
  /** A request for the entry is unanswered. */
  fetching?: boolean
}

/** A key of which nothing is known, or an entry that a server rendered. */
export const createKeyRecord = (key: string, confirmed: Entry | undefined, retry: Retry): KeyRecord => ({
  key,
  users: new Set(),
  retry,
  state: { ...unknownKey(key), confirmed },
  shown: confirmed && valueOf(confirmed),
})
