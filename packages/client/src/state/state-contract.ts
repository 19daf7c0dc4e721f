import type { LockBinding } from '@tutti/protocol'
import type { Observable } from '../observable.ts'

/** The state of a handle. Immutable: each change creates a new object. */
export interface StateSnapshot<Shown> {
  /**
   * The confirmed value with this client's pending changes; the default if nothing is stored. Must not be modified
   * in place.
   */
  readonly value: Shown
  /** The server has not yet sent the stored entry. */
  readonly loading: boolean
  /** Changes of this client on this key are not yet confirmed. */
  readonly pending: boolean
  /** Why a change of this handle was refused, until its next change; or why the key cannot be read. */
  readonly error: Error | undefined
  /** The version of the confirmed entry; `undefined` while it is not known. */
  readonly version: number | undefined
  /** Changes of this handle wait for `sync()` or for the end of `debounceMs`. */
  readonly isDirty: boolean
}

/** How a handle behaves. */
export interface StateOptions<T> {
  /** Shown while nothing is stored; never stored. A number is where `increment` starts. Without it, an absent key is `undefined`. */
  default?: T | undefined
  /**
   * When changes are sent: at once, after `debounceMs` without another change, or when `sync()` is called.
   *
   * @default 'immediate'
   */
  strategy?: 'immediate' | 'debounced' | 'manual' | undefined
  /**
   * How long a debounced change waits for another one, milliseconds.
   *
   * @default 200
   */
  debounceMs?: number | undefined
  /**
   * `set` and `remove` are refused with `CONFLICT` if another client wrote since. Otherwise the last write wins.
   *
   * @default false
   */
  onlyIfUnchanged?: boolean | undefined
  /**
   * Binds all changes of the handle to a lock of this client, of `lock()` of `@tutti/client/lock`: they are refused with
   * `LOCK_LOST` once that grant has ended, and while this client does not have the lock. Unset by default.
   */
  lock?: { readonly binding: LockBinding | undefined } | undefined
}

/** A JSON Merge Patch of a value (RFC 7396): null removes a property, arrays are replaced as a whole. */
export type MergePatch<T> = T extends readonly unknown[] ? T : T extends object ? { [Name in keyof T]?: MergePatch<T[Name]> | null } : T

/**
 * One use of a key. Changes show at once, on every handle of the key in this client, and are sent in order. Their promises
 * settle when the server has confirmed or refused them; they need not be awaited, because `current.error` shows the same.
 *
 * @throws {RealtimeError} each change rejects with `INVALID_VALUE` (not JSON), `CONFLICT` (`onlyIfUnchanged`), `NOT_A_NUMBER`,
 * `TOO_LARGE`, `OVERFLOW` (too many changes wait), `OUTCOME_UNKNOWN` (sent, and without a reply for longer than the server remembers
 * it), `CLOSED`, or the code of the server's refusal, such as `FORBIDDEN`.
 */
export interface StateHandle<T, Shown = T | undefined> extends Observable<StateSnapshot<Shown>> {
  readonly key: string
  /** Stores a value in place of the stored one. */
  set(value: T): Promise<void>
  /** Removes the key: it is absent then, which is not `null`. */
  remove(): Promise<void>
  /** Adds to a number, 1 by default, atomically with concurrent increments. */
  increment(by?: number): Promise<void>
  /** Merges by property: concurrent changes of other properties are kept. */
  patch(patch: MergePatch<T>): Promise<void>
  /**
   * Stores the result of the function for the newest value, and runs it again if another client wrote in the meantime. It
   * also runs for the display, so it must have no side effects. `undefined` removes the key. Rejects with the errors of the
   * function.
   */
  update(run: (value: Shown) => T | undefined): Promise<void>
  /**
   * Requests the entry from the server now.
   *
   * @throws {RealtimeError} `UNAVAILABLE` without a connection.
   */
  refresh(): Promise<void>
  /**
   * Sends waiting changes; settles when every change of this handle is confirmed, with the first error if one is refused.
   */
  sync(): Promise<void>
  /** Sends waiting changes and releases the key; the last handle of a key ends its subscription. */
  dispose(): void
}
