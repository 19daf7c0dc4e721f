import type { Entry, EntryPage, JsonObject, JsonValue } from '@tutti/protocol'

export type { EntryPage }

/** The author of a mutation and its number: with these it takes effect once. */
export interface MutationAuthor {
  /** ID of the signed-in user; '' for anonymous. Never reaches the remembered mutations of another user. */
  user: string
  clientId: string
  /** Increases with each mutation of this client on this key, from 1. */
  number: number
}

interface MutationBase {
  /** A key that `parseKey` accepts. */
  key: string
  /** Without it, a write that is sent twice takes effect twice. */
  author?: MutationAuthor | undefined
  /** Names the connection that requested the change, so that it does not receive its own change; opaque to the store. */
  writer?: string | undefined
}

/** One change of one key. */
export type Mutation =
  | (MutationBase & { op: 'set'; value: JsonValue; ifVersion?: number | undefined; ttlMs?: number | undefined })
  | (MutationBase & { op: 'remove'; ifVersion?: number | undefined })
  | (MutationBase & { op: 'increment'; by: number; initial?: number | undefined })
  | (MutationBase & { op: 'patch'; patch: JsonObject })

/** The result of a write. The same for a mutation that is sent again. */
export interface WriteResult {
  version: number
  /** With `increment`: the sum. */
  value?: number
  /** With `patch`: the version it was merged into, or the new version itself if several patches were applied together. */
  base?: number
}

/**
 * The lock that a write is bound to, or that its key requires. Made by the coordination; checked in the same step as
 * the write is applied.
 */
export interface WriteGuard {
  /**
   * The Redis key of the lock's record: `<token> <kind> <owner> <until ms> …`, kind `d` if the lock has ended. Without it, and in a
   * store of one process, `refusal` is called.
   */
  readonly record?: string | undefined
  /** The grant that the write is bound to; 0: none. */
  readonly token: number
  /** The holder that the key requires. Absent: any that knows the token. */
  readonly owner?: string | undefined
  /** Without a lock on the key, a write that is not bound is refused too. */
  readonly always: boolean
  /** Why the write is refused at this moment. */
  refusal(): 'lost' | 'locked' | undefined
}

/** Optional parameters of a write. */
export interface WriteOptions {
  /** The write is refused with `LOCK_LOST` or `LOCKED` if the lock is not as required. The refusal is remembered. Without it, no lock is checked. */
  guard?: WriteGuard | undefined
  /**
   * The write must begin before this time, milliseconds since 1970 on the store's clock.
   *
   * @default now + `writeTimeoutMs`
   */
  deadline?: number | undefined
  /**
   * Called with the value that the write would store: for a patch or increment, the result on the newest value. If it throws,
   * the write is refused with that error and nothing is stored. Not called for a removal, nor for a mutation whose outcome
   * is remembered. Its refusal is not remembered. Unset by default.
   */
  check?: ((value: JsonValue) => void) | undefined
}

/**
 * One change of one key, as delivered to `onChange`. Exactly one of `value`, `patch`, `removed`, or none if the value is large.
 */
export interface StateChange {
  key: string
  version: number
  /** The version before this change, with `patch`. */
  base?: number
  patch?: JsonObject
  value?: JsonValue
  /** The JSON text of `value`, if the store has it. */
  valueJson?: string
  /** The JSON text of `{ key, version, value }`, if the store has it: it can be sent without `JSON.stringify`. */
  entryJson?: string
  removed?: true
  /** When the entry expires, milliseconds since 1970. */
  expiresAt?: number
  /** The `writer` of the mutation. */
  writer?: string
}

/** An entry in the store. `expiresAt`: when it expires, milliseconds since 1970 on the store's clock. */
export type StoredEntry = Entry & { expiresAt?: number }

/** A page of a listing, with the store's own fields. */
export interface StoredPage extends EntryPage {
  entries: StoredEntry[]
}

/**
 * The storage layer for state: owns values and versions. `server` uses it only through these types. Implementations MUST pass
 * the suite at `storage-driver/testing`.
 *
 * Errors of `write`, by code: `CONFLICT` (with the entry), `LOCK_LOST`, `LOCKED`, `NOT_A_NUMBER`, `STALE_MUTATION`, `INVALID_VALUE`, `WRONG_TYPE`,
 * `UNAVAILABLE` (not applied and never will be), `OUTCOME_UNKNOWN` (the reply was lost), `CLOSED`.
 */
export interface StateStore {
  /** On Redis: the beginning of its keys. Locks are stored beside its values. */
  readonly base?: string | undefined
  /**
   * The entries of these keys, in their order. Values that other programs stored and entries that have expired, once for
   * all instances, receive a version here and are announced.
   */
  read(keys: readonly string[]): Promise<StoredEntry[]>
  /** Like `read`, without the entries that still have their known version, and without fetching their values. In any order. */
  readChanged(known: ReadonlyMap<string, number>): Promise<StoredEntry[]>
  /** The entries below a prefix (`todos:`, or '' for all), in byte order of their keys, from an index. */
  list(prefix: string, after?: string): Promise<StoredPage>
  /** One change: checked, applied, versioned, remembered and announced at once, or not at all. */
  write(mutation: Mutation, options?: WriteOptions): Promise<WriteResult>
  /**
   * Delivers every change in the cluster, including those of this instance, each once and those of a key in version order.
   * Changes may be missed only if `onGap` reports it; changes made shortly before the call may be delivered as well, with their
   * lower versions. Listeners MUST NOT block or modify their argument. A change of a key for which `wants` returns false at
   * that moment may be omitted; `wants` must not throw. Returns an unsubscribe function; its `ready` settles when the
   * subscription is confirmed.
   */
  // Not named `watch`, which is unstorage's own method with the arguments `(event, key)`: a driver has both.
  onChange(listener: (change: StateChange) => void, wants?: (key: string) => boolean): (() => void) & { readonly ready: Promise<void> }
  /** Announces a value that another program wrote over an entry, with a new version. */
  touch(key: string): Promise<WriteResult>
  /** Finds entries that other programs stored below the base, so that `list` includes them. */
  reindex(): Promise<void>
  /**
   * Runs the listener when changes may have been missed, also between a read and the confirmation of `onChange`. Returns an
   * unsubscribe function.
   */
  onGap(listener: () => void): () => void
  /** Messages of other instances that were dropped as invalid. Absent for a store without messages. */
  readonly droppedMessages?: number
  /** The store's clock, milliseconds since 1970, as estimated by this instance. It applies to deadlines and `expiresAt`. */
  now(): number
  /**
   * Completes its work and ends all subscriptions; idempotent. Resources of the caller stay open. Later calls fail with
   * `CLOSED`.
   */
  dispose(): Promise<void>
}
