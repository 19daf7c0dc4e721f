import type { JsonValue } from '@tutti/protocol'

/** The client that a lock is granted to, as others see it. Never changed: another grant makes a new object. */
export interface LockHolder {
  /** Id of the signed-in user; '' for anonymous. */
  readonly user: string
  /** Absent where the request had none. */
  readonly info?: JsonValue
}

/** What becomes of a request after its reply. Called synchronously; must not block. */
export interface LockListener {
  /** The waiting request was granted; or the lock was granted anew, with another token. */
  onGranted(token: number): void
  /** The grant with this token has ended, and not by a call of this connection. The request is over. */
  onLost(token: number): void
}

/** A request for a lock. The same user and `clientId` is the same holder, on any instance and connection. */
export interface LockRequest extends LockListener {
  /** Id of the signed-in user; '' for anonymous. */
  readonly user: string
  /** Without it, the connection is the holder, and the lock ends at `disconnect`. */
  readonly clientId?: string | undefined
  /** Unique in the cluster and never used again. */
  readonly connectionId: string
  /** Unique for the connection. A later request of the connection for the same key replaces this one. */
  readonly request: string
  /** How long the lock lasts after a disconnect, milliseconds. */
  readonly ttlMs: number
  /** Whether the request is queued if another holder has the lock. */
  readonly waits: boolean
  readonly info?: JsonValue | undefined
}

/** The result of a request. It never waits for another holder. */
export type LockAcquired =
  | { readonly state: 'granted'; readonly token: number }
  /** Queued: `onGranted` follows, unless the request is cancelled. */
  | { readonly state: 'waiting' }
  | { readonly state: 'held'; readonly holder: LockHolder }

/** Locks of one key, or of all keys below a prefix (`form:1:`). */
export type LockTarget = { readonly key: string } | { readonly prefix: string }

/** What this instance knows of some locks. */
export interface LocksView {
  /**
   * Settles when the locks were read. If it rejects, the view is closed. Never becomes an unhandled rejection.
   *
   * @throws {RealtimeError} `UNAVAILABLE`, `CLOSED`.
   */
  readonly ready: Promise<void>
  /** Holders by key. Live: copy it to keep it. */
  readonly holders: ReadonlyMap<string, LockHolder>
  /** Ends the view. Idempotent. */
  close(): void
}

/** The lock that a write is bound to, or that its key requires. Passed to `StateStore.write`. */
export interface LockGuard {
  /** The Redis key of the lock's record, where there is one. Its format: see `lock-record.ts`. */
  readonly record?: string | undefined
  /** The grant that the write is bound to; 0: none. */
  readonly token: number
  /** The holder that the key requires: `<user>:<clientId>`. Absent: any that knows the token. */
  readonly owner?: string | undefined
  /** Without a lock on the key, a write that is not bound is refused too. */
  readonly always: boolean
  /** For a store in the same process: why the write is refused at this moment. */
  refusal(): 'lost' | 'locked' | undefined
}

/** What a guard is made of. */
export interface LockGuardOptions {
  readonly key: string
  /** The grant that the write is bound to; 0: none. */
  readonly token: number
  /** The writer, if the key requires a lock. Without it, the token alone decides. */
  readonly writer?: Pick<LockRequest, 'user' | 'clientId' | 'connectionId'> | undefined
  /**
   * See `LockGuard`.
   *
   * @default false
   */
  readonly always?: boolean | undefined
}

/**
 * Locks on keys, across all instances. A lock has one holder at a time, and each grant a greater fencing token. It lasts while the
 * holder's connection is open, and `ttlMs` after it closed.
 *
 * Errors by code: `UNAVAILABLE` (not applied), `OUTCOME_UNKNOWN` (perhaps applied; the same call again is harmless), `CLOSED`,
 * `INVALID_KEY`.
 */
export interface Locks {
  /** Requests a lock. A holder that requests it again keeps its token. */
  acquire(key: string, request: LockRequest): Promise<LockAcquired>
  /** Ends a request that waits. If it was granted meanwhile, that grant ends. */
  cancel(key: string, connectionId: string, request: string): Promise<void>
  /** Ends the grant. Changes nothing if the connection does not have it, so a later request of the connection continues. */
  release(key: string, connectionId: string, token: number): Promise<void>
  /** Ends the grant of any holder, which is notified by `onLost`. */
  end(key: string): Promise<void>
  /** The connection is closed: its requests end, its locks last for `ttlMs`. Failures are repeated here. */
  disconnect(connectionId: string): void
  /** Holders by key. */
  list(prefix: string): Promise<ReadonlyMap<string, LockHolder>>
  /** Follows locks. `onChange` is called after `ready`, with the holder, or without one if the lock has ended. */
  watch(target: LockTarget, onChange: (key: string, holder: LockHolder | undefined) => void): LocksView
  /**
   * Makes the guard of a write of `writeKey`.
   *
   * @throws {RealtimeError} `INVALID_MESSAGE` on a Cluster if the lock is of another key.
   */
  guard(options: LockGuardOptions, writeKey: string): LockGuard
}
