import type { MergePatch } from '@tutti/client'
import type { CollectionOptions } from '@tutti/client/collection'
import { jsonCopy, type JsonValue } from '@tutti/protocol'
import { computed, type ComputedRef, type MaybeRefOrGetter } from 'vue'
import type { NamedOr, RegisteredValue } from '../realtime-register.ts'
import { followCollection } from './follow-collection.ts'
import type { RealtimeItem } from './realtime-item.ts'

/** How many entries are loaded; see `CollectionOptions`. */
export type UseRealtimeCollectionOptions = CollectionOptions

/**
 * All entries below a prefix, shared. The promises of its methods need not be awaited, because `error` contains their errors.
 */
export interface RealtimeCollection<T> {
  /** In the order of their keys; see `add`. */
  readonly items: ComputedRef<readonly RealtimeItem<T>[]>
  /** The server has not yet sent all stored entries, up to `limit`. */
  readonly loading: ComputedRef<boolean>
  /** Changes of this client below the prefix are not yet confirmed. */
  readonly pending: ComputedRef<boolean>
  /** Why a change was refused, until the next change; or why the prefix cannot be read. */
  readonly error: ComputedRef<Error | undefined>
  /** More entries than `limit` are stored: see `loadMore`. */
  readonly hasMore: ComputedRef<boolean>
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
}

/**
 * All entries below a prefix (`todos:`), live. A changed prefix is followed: unsent changes go to the old one. The schema of
 * `RealtimeRegister` types the entries. Ends with its scope.
 *
 * @throws {RealtimeError} `INVALID_KEY`, `INVALID_OPTIONS`, `CLOSED`.
 *
 * @example
 * const { items, add, remove } = useRealtimeCollection<Todo>('todos:')
 */
export function useRealtimeCollection<T = never, Prefix extends string = string>(
  prefix: MaybeRefOrGetter<Prefix>,
  options?: UseRealtimeCollectionOptions,
): RealtimeCollection<NamedOr<T, RegisteredValue<`${Prefix}${string}`>>>
export function useRealtimeCollection(
  prefix: MaybeRefOrGetter<string>,
  options: UseRealtimeCollectionOptions = {},
): RealtimeCollection<JsonValue> {
  const { items, snapshot, handle } = followCollection(prefix, options)
  return {
    // A computed, because state libraries restore plain refs (S23).
    items: computed(() => items.value),
    loading: computed(() => snapshot.value.loading),
    pending: computed(() => snapshot.value.pending),
    error: computed(() => snapshot.value.error),
    hasMore: computed(() => snapshot.value.hasMore),
    add: (value) => handle().add(value),
    set: (key, value) => handle(key).set(key, value),
    patch: (key, patch) => handle(key).patch(key, patch),
    // It receives a copy, because it may modify its argument.
    update: (key, run) => handle(key).update(key, (value) => run(value === undefined ? undefined : jsonCopy(value))),
    remove: (key) => handle(key).remove(key),
    loadMore: (count) => handle().loadMore(count),
  }
}
