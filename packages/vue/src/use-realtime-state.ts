import type { MergePatch, StateOptions } from '@tutti/client'
import { jsonCopy, type JsonValue } from '@tutti/protocol'
import { computed, type ComputedRef, type MaybeRefOrGetter, type WritableComputedRef } from 'vue'
import { followState } from './follow-state.ts'
import { realtimeState } from './is-realtime-state.ts'
import { sendPatch, sendUpdate } from './send-change.ts'

/** How the state behaves; see `StateOptions`. */
export type UseRealtimeStateOptions = Omit<StateOptions<unknown>, 'default'>

/**
 * A ref of a shared value. Assigning stores the whole value; what is changed inside it (`poll.value.votes++`) is sent once
 * per tick, as a patch where that can say it (S8). The promises of its methods need not be awaited, for `error` says the same.
 *
 * It is a computed, as its value belongs to all clients: state libraries restore, reset and persist refs only (S23).
 */
export interface RealtimeState<T> extends WritableComputedRef<T> {
  /** The server has not yet said what is stored. */
  readonly loading: ComputedRef<boolean>
  /** Changes of this client on this key are not yet confirmed. */
  readonly pending: ComputedRef<boolean>
  /** Why a change was refused, until the next change; or why the key can't be read. */
  readonly error: ComputedRef<Error | undefined>
  /** The version of the confirmed entry; `undefined` while it is not known. */
  readonly version: ComputedRef<number | undefined>
  /** Changes wait for `sync()` or for the end of `debounceMs` (S16). */
  readonly isDirty: ComputedRef<boolean>
  /** Stores a value, also one that is shown already. */
  set(value: T): Promise<void>
  /** Removes the key; the default is shown then (S10). */
  remove(): Promise<void>
  /** Adds to a number, atomically with what others add (S7). Default 1. */
  increment(by?: number): Promise<void>
  /** Merges by property: what others do to other properties survives (S8). */
  patch(patch: MergePatch<T>): Promise<void>
  /** Stores what the function makes of the newest value, and runs it again if somebody wrote meanwhile (S9). */
  update(run: (value: T) => T | undefined): Promise<void>
  /** Asks the server for the entry now. */
  refresh(): Promise<void>
  /** Sends what waits (S16); settles when every change is confirmed. */
  sync(): Promise<void>
}

/**
 * The state of a key, shared with everybody who uses it; `initial` is shown where nothing is stored. A key that changes is
 * followed: what is unsent goes to the old one. Ends with its scope. Throws `INVALID_KEY`, `INVALID_VALUE`, `CLOSED`.
 */
export function useRealtimeState<T>(key: MaybeRefOrGetter<string>, initial: T, options?: UseRealtimeStateOptions): RealtimeState<T>
export function useRealtimeState<T>(key: MaybeRefOrGetter<string>): RealtimeState<T | undefined>
export function useRealtimeState(
  key: MaybeRefOrGetter<string>,
  initial?: unknown,
  options: UseRealtimeStateOptions = {},
): RealtimeState<JsonValue | undefined> {
  const fallback = initial === undefined ? undefined : jsonCopy(initial)
  const live = followState(key, fallback, options)
  const { snapshot } = live
  const set = (value: JsonValue | undefined): Promise<void> => (value === undefined ? live.handle().remove() : live.handle().set(value))
  const assign = (next: JsonValue | undefined): void => {
    if (live.isNew()) return
    const handle = live.handle()
    // What was changed in place is sent by now; only what differs from it is a change (S23).
    if (!live.draft.shows(next)) void (next === undefined ? handle.remove() : handle.set(next))
  }
  const value = computed<JsonValue | undefined>({ get: () => live.draft.value, set: assign })
  return Object.assign(value, {
    [realtimeState]: true,
    loading: computed(() => snapshot.value.loading),
    pending: computed(() => snapshot.value.pending),
    error: computed(() => snapshot.value.error),
    version: computed(() => snapshot.value.version),
    isDirty: computed(() => snapshot.value.isDirty),
    set,
    remove: () => live.handle().remove(),
    increment: (by?: number) => live.handle().increment(by),
    patch: (patch: MergePatch<JsonValue>) => sendPatch(live.handle(), patch, fallback),
    update: (run: (value: JsonValue | undefined) => JsonValue | undefined) => sendUpdate(live.handle(), run, fallback),
    refresh: () => live.handle().refresh(),
    sync: () => live.handle().sync(),
  })
}
