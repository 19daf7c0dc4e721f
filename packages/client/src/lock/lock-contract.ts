import type { LockBinding } from '@tutti/protocol'
import type { Observable } from '../observable.ts'

/** The client that has a lock. Immutable. */
export interface LockHolder<Info> {
  /** Id of the user; '' without one. */
  readonly user: string
  /** What the holder shows of itself; null without an info. */
  readonly info: Info
}

/** What is known of a lock. Immutable: each change makes another object. */
export interface LockSnapshot<Info> {
  /** The client that has the lock, this one included. */
  readonly holder: LockHolder<Info> | undefined
  /** This client has the lock. It may become true before `holder` is updated. */
  readonly isMine: boolean
  /** A request of this client waits. */
  readonly waiting: boolean
  /** The fencing token, if this client has the lock. */
  readonly token: number | undefined
  /** The server has not yet sent the holder. */
  readonly loading: boolean
  /** Why the holder cannot be shown. */
  readonly error: Error | undefined
}

/** How a lock is used. */
export interface LockOptions<Info> {
  /** What others see of the holder: any JSON. The info that was set last applies. Without it, null. */
  info?: Info | undefined
  /**
   * How long the lock lasts after the connection was lost, milliseconds. The server limits it.
   *
   * @default 10000
   */
  ttlMs?: number | undefined
}

/** How long a request waits. */
export interface AcquireOptions {
  /** Waits for the lock up to this time, milliseconds. Without it the request does not wait. */
  waitMs?: number | undefined
  /** Ends the request. Without it, only the time ends it. */
  signal?: AbortSignal | undefined
}

/**
 * The lock of one key. All handles of a client on a key are one holder: the lock is released when each handle that acquired it
 * has released it. It continues through reconnects.
 */
export interface Lock<Info> extends Observable<LockSnapshot<Info>> {
  readonly key: string
  /** For the option `lock` of a state handle: the grant that this client has. */
  readonly binding: LockBinding | undefined
  /**
   * Requests the lock. Resolves with true if this client has it; with false if another client has it, the time is over, or the
   * signal was aborted. Rejects if it was refused, for example with `FORBIDDEN`, or could not be sent (`UNAVAILABLE`).
   */
  acquire(options?: AcquireOptions): Promise<boolean>
  /**
   * What others see of this client, from the next `acquire` on.
   *
   * @throws {RealtimeError} `INVALID_VALUE`.
   */
  setInfo(info: Info | undefined): void
  /** Ends what this handle has acquired, or its requests. */
  release(): Promise<void>
  /** Ends the lock of any holder. Needs the right `lock:force`. */
  forceRelease(): Promise<void>
  /** Runs the listener when the lock has ended by other means. Returns an unsubscribe function. */
  onLost(listener: () => void): () => void
  /** Releases the lock, and ends the subscription unless another handle continues. */
  dispose(): void
}

/** The locks below a prefix that have a holder, by key. */
export interface Locks<Info> extends Observable<ReadonlyMap<string, LockHolder<Info>>> {
  readonly prefix: string
  dispose(): void
}
