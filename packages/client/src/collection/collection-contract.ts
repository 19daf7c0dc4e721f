import type { MergePatch } from '../state/state-contract.ts'
import type { Observable } from '../observable.ts'

/** One entry of a collection. Immutable; the same object until a property differs. */
export interface CollectionItem<T> {
  readonly key: string
  /** Includes this client's pending changes. Must not be modified in place. */
  readonly value: T
  /** The version of the confirmed entry, 0 if none is stored; `undefined` until it is known. */
  readonly version: number | undefined
  /** Changes of this client on this entry are not yet confirmed. */
  readonly pending: boolean
}

/** The state of a collection. Immutable: each change creates a new object. */
export interface CollectionSnapshot<T> {
  /** In the order of their keys; see `add`. */
  readonly items: readonly CollectionItem<T>[]
  /** The server has not yet sent all stored entries, up to `limit`. */
  readonly loading: boolean
  /** Changes of this client are not yet confirmed. */
  readonly pending: boolean
  /** The reason why a change was refused, until the next change; or why the prefix cannot be read. */
  readonly error: Error | undefined
  /** More entries than `limit` are stored: see `loadMore`. */
  readonly hasMore: boolean
}

/** How a collection behaves. */
export interface CollectionOptions {
  /**
   * Entries to load; live changes may add more.
   *
   * @default 10_000
   */
  limit?: number | undefined
}

/**
 * Defaults of the options of a collection.
 *
 * @internal
 */
export const COLLECTION_DEFAULTS = { limit: 10_000 } as const

/**
 * All entries below a prefix, live. Changes show at once, here and on handles of the same keys, and are sent like
 * theirs, with the same errors. They need not be awaited, because `current.error` shows the same.
 */
export interface Collection<T> extends Observable<CollectionSnapshot<T>> {
  readonly prefix: string
  /** Stores a value under a new key that sorts after all shown added entries, and returns the key. */
  add(value: T): string
  /**
   * Replaces the stored value. The key is complete and below the prefix.
   *
   * @throws {RealtimeError} `INVALID_KEY`, and the errors of `StateHandle`.
   */
  set(key: string, value: T): Promise<void>
  /** Merges by property: concurrent changes of other properties are kept. */
  patch(key: string, patch: MergePatch<T>): Promise<void>
  /** Stores the result of the function for the newest value, and runs it again if another client wrote in the meantime. */
  update(key: string, run: (value: T | undefined) => T | undefined): Promise<void>
  remove(key: string): Promise<void>
  /** Loads additional entries, 1,000 without a `count`. */
  loadMore(count?: number): void
  /** Ends the subscription of the prefix; pending changes are still sent. */
  dispose(): void
}
