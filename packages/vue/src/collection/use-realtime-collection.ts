import type { MergePatch } from '@tutti/client'
import type { CollectionOptions } from '@tutti/client/collection'
import { jsonCopy, type JsonValue } from '@tutti/protocol'
import { computed, type ComputedRef, type MaybeRefOrGetter } from 'vue'
import { followCollection } from './follow-collection.ts'
import type { RealtimeItem } from './realtime-item.ts'

/** How much is loaded; see `CollectionOptions`. */
export type UseRealtimeCollectionOptions = CollectionOptions

/** All entries below a prefix, shared. The promises of its methods need not be awaited, for `error` says the same. */
export interface RealtimeCollection<T> {
  /** In the order of their keys; see `add`. */
  readonly items: ComputedRef<readonly RealtimeItem<T>[]>
  /** The server has not yet said all that is stored, up to `limit`. */
  readonly loading: ComputedRef<boolean>
  /** Changes of this client below the prefix are not yet confirmed. */
  readonly pending: ComputedRef<boolean>
  /** Why a change was refused, until the next change; or why the prefix can't be read. */
  readonly error: ComputedRef<Error | undefined>
  /** More is stored than `limit`: see `loadMore`. */
  readonly hasMore: ComputedRef<boolean>
  /** Stores a value under a new key, which sorts behind the added entries that are shown, and returns the key. */
  add(value: T): string
  /** Stores a value, whatever is there. The key is a whole one, below the prefix; else `INVALID_KEY`. */
  set(key: string, value: T): Promise<void>
  /** Merges by property: what others do to other properties survives (S8). */
  patch(key: string, patch: MergePatch<T>): Promise<void>
  /** Stores what the function makes of the newest value, and runs it again if somebody wrote meanwhile (S9). */
  update(key: string, run: (value: T | undefined) => T | undefined): Promise<void>
  remove(key: string): Promise<void>
  /** Loads so many entries more, default 1,000. */
  loadMore(count?: number): void
}

/**
 * All entries below a prefix (`todos:`), live (S17). A prefix that changes is followed: what is unsent goes to the old one. Ends
 * with its scope. Throws `INVALID_KEY`, `CLOSED`.
 */
export function useRealtimeCollection<T>(prefix: MaybeRefOrGetter<string>, options?: UseRealtimeCollectionOptions): RealtimeCollection<T>
export function useRealtimeCollection(
  prefix: MaybeRefOrGetter<string>,
  options: UseRealtimeCollectionOptions = {},
): RealtimeCollection<JsonValue> {
  const { items, snapshot, handle } = followCollection(prefix, options)
  return {
    // A computed: state libraries restore what is a mere ref (S23).
    items: computed(() => items.value),
    loading: computed(() => snapshot.value.loading),
    pending: computed(() => snapshot.value.pending),
    error: computed(() => snapshot.value.error),
    hasMore: computed(() => snapshot.value.hasMore),
    add: (value) => handle().add(value),
    set: (key, value) => handle(key).set(key, value),
    patch: (key, patch) => handle(key).patch(key, patch),
    // It gets a copy: it may be one that changes what it is given.
    update: (key, run) => handle(key).update(key, (value) => run(value === undefined ? undefined : jsonCopy(value))),
    remove: (key) => handle(key).remove(key),
    loadMore: (count) => handle().loadMore(count),
  }
}
