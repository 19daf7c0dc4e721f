import type { MergePatch } from '../state/state-contract.ts'
import type { Observable } from '../observable.ts'

/** One entry of a collection. Immutable; the same object as long as nothing of it differs. */
export interface CollectionItem<T> {
  readonly key: string
  /** With this client's own changes on top (S13). Not to be changed in place. */
  readonly value: T
  /** The version of the confirmed entry, 0 where none is stored; `undefined` while it is not known. */
  readonly version: number | undefined
  /** Changes of this client on this entry are not yet confirmed. */
  readonly pending: boolean
}

/** What a collection shows. Immutable: each change makes another object. */
export interface CollectionSnapshot<T> {
  /** In the order of their keys; see `add`. */
  readonly items: readonly CollectionItem<T>[]
  /** The server has not yet sent all that is stored, up to `limit`. */
  readonly loading: boolean
  /** Changes of this client are not yet confirmed. */
  readonly pending: boolean
  /** Why a change was refused, until the next change; or why the prefix can't be read. */
  readonly error: Error | undefined
  /** More is stored than `limit`: see `loadMore`. */
  readonly hasMore: boolean
}

/** How a collection behaves. */
export interface CollectionOptions {
  /** Entries to load; live changes may add more. Default 10,000. */
  limit?: number | undefined
}

/**
 * All entries below a prefix, live (S17). Changes show at once, here and on handles of the same keys (S15), and are sent like
 * theirs, with the same errors. They need not be awaited, because `current.error` shows the same.
 */
export interface Collection<T> extends Observable<CollectionSnapshot<T>> {
  readonly prefix: string
  /** Stores a value under a new key, which sorts behind the added entries that are shown, and returns the key. */
  add(value: T): string
  /** Stores a value in place of the stored one. The key is complete and below the prefix; else `INVALID_KEY`. */
  set(key: string, value: T): Promise<void>
  /** Merges by property: what others do to other properties survives (S8). */
  patch(key: string, patch: MergePatch<T>): Promise<void>
  /** Stores what the function makes of the newest value, and runs it again if another client wrote meanwhile (S9). */
  update(key: string, run: (value: T | undefined) => T | undefined): Promise<void>
  remove(key: string): Promise<void>
  /** Loads so many entries more, default 1,000. */
  loadMore(count?: number): void
  /** Ends the subscription of the prefix; pending changes are still sent. */
  dispose(): void
}
