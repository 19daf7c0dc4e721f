import type { Entry, EntryPage, JsonObject, JsonValue } from '@tutti/protocol'

export type { EntryPage }

/** Who made a mutation and its number: what makes it take effect once (S12). */
export interface MutationAuthor {
  /** Id of the signed-in user; '' for anonymous. No other user's memory is ever reached with it. */
  user: string
  clientId: string
  /** Grows with each mutation of this client on this key, from 1. */
  number: number
}

interface MutationBase {
  /** A key that `parseKey` accepts. */
  key: string
  /** Without it, a write that is sent twice happens twice. */
  author?: MutationAuthor | undefined
  /** Names the connection that asked, so that it is not told of its own change; opaque to the store. */
  writer?: string | undefined
}

/** One change of one key. */
export type Mutation =
  | (MutationBase & { op: 'set'; value: JsonValue; ifVersion?: number | undefined; ttlMs?: number | undefined })
  | (MutationBase & { op: 'remove'; ifVersion?: number | undefined })
  | (MutationBase & { op: 'increment'; by: number; initial?: number | undefined })
  | (MutationBase & { op: 'patch'; patch: JsonObject })

/** What a write made. The same for a mutation that is sent again (S12). */
export interface WriteResult {
  version: number
  /** With `increment`: the sum. */
  value?: number
  /** With `patch`: the version it was merged into; the new version itself where patches of others went together with it. */
  base?: number
}

/** What may accompany a write. */
export interface WriteOptions {
  /** By when it must have begun, milliseconds since 1970 on the store's clock; default: now + `writeTimeoutMs` (F2). */
  deadline?: number | undefined
  /**
   * Called with the value that the write would make, before it is made: by a patch or increment with the result on the
   * newest value. What it throws refuses the write, and nothing is stored (X6). Not called for a removal, nor for a
   * mutation whose verdict is remembered (S12). A refusal by it is not remembered.
   */
  check?: ((value: JsonValue) => void) | undefined
}

/** One change of one key, as `onChange` tells it. Exactly one of `value`, `patch`, `removed`, or none when the value is large. */
export interface StateChange {
  key: string
  version: number
  /** The version before this change, with `patch`. */
  base?: number
  patch?: JsonObject
  value?: JsonValue
  /** The JSON text of `value`, where the store has it: can be sent as it is, without `JSON.stringify`. */
  valueJson?: string
  removed?: true
  /** When the entry ends by itself, milliseconds since 1970. */
  expiresAt?: number
  /** What the mutation said in `writer`. */
  writer?: string
}

/** An entry as the store knows it. `expiresAt`: when it ends by itself, milliseconds since 1970 on the store's clock (S18). */
export type StoredEntry = Entry & { expiresAt?: number }

/** A page of a listing, with what the store knows. */
export interface StoredPage extends EntryPage {
  entries: StoredEntry[]
}

/**
 * The storage layer for state: owns values and versions. `server` meets it through these types alone.
 * Implementations MUST pass the suite at `storage-driver/testing`.
 *
 * Errors of `write`, by code: `CONFLICT` (with the entry), `NOT_A_NUMBER`, `STALE_MUTATION`, `INVALID_VALUE`,
 * `WRONG_TYPE`, `UNAVAILABLE` (not applied and never will be), `OUTCOME_UNKNOWN` (the answer was lost), `CLOSED`.
 */
export interface StateStore {
  /**
   * The entries of these keys, in their order. What came or went without the store gets its version here, and is announced:
   * a value that something else stored (S20), and the end of an entry whose time has come, once for all instances (S18).
   */
  read(keys: readonly string[]): Promise<StoredEntry[]>
  /** As `read`, but leaves out the entries whose version is the one named, and does not fetch their values. In any order. */
  readChanged(known: ReadonlyMap<string, number>): Promise<StoredEntry[]>
  /** The entries below a prefix (`todos:`, or '' for all), in byte order of their keys, from an index (S17). */
  list(prefix: string, after?: string): Promise<StoredPage>
  /** One change: checked, applied, versioned, remembered and announced at once, or not at all (S5). */
  write(mutation: Mutation, options?: WriteOptions): Promise<WriteResult>
  /**
   * Tells every change in the cluster, one's own included, each once and each key's in version order. Changes may be
   * missed only where `onGap` tells; those made just before may be told as well, with their lower versions. Listeners MUST NOT
   * block or change what they are given. A change of a key for which `wants` returns false at that moment may be left out
   * (S5); it must not throw. Not named `watch`, which is unstorage's own and calls back with `(event, key)`: a driver is both.
   * Returns its undo; `ready` settles when it is in force.
   */
  onChange(listener: (change: StateChange) => void, wants?: (key: string) => boolean): (() => void) & { readonly ready: Promise<void> }
  /** Announces a value that another program wrote over an entry, with a new version (S20). */
  touch(key: string): Promise<WriteResult>
  /** Finds what other programs stored below the base, so that `list` names it (S17). */
  reindex(): Promise<void>
  /** Runs the listener when changes may have been missed, also between a read and the moment `onChange` is in force. Returns its undo. */
  onGap(listener: () => void): () => void
  /** Messages of other instances that were dropped because they are no changes (N4). Absent where there are none. */
  readonly droppedMessages?: number
  /** The store's clock, milliseconds since 1970, as far as is known here: of deadlines and of `expiresAt`. */
  now(): number
  /** Ends its work and lets nobody watch any more; idempotent. What the caller brought stays open. Afterwards `CLOSED`. */
  dispose(): Promise<void>
}
