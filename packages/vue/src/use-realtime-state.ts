import type { MergePatch, StateOptions } from '@tutti/client'
import { jsonCopy, type JsonValue } from '@tutti/protocol'
import { computed, type ComputedRef, type MaybeRefOrGetter, type WritableComputedRef } from 'vue'
import { followState } from './follow-state.ts'
import { realtimeState } from './is-realtime-state.ts'
import type { NamedOr, RegisteredValue, Unregistered } from './realtime-register.ts'
import { sendPatch, sendUpdate } from './send-change.ts'

/** The behaviour of the state; see `StateOptions`. */
export type UseRealtimeStateOptions = Omit<StateOptions<unknown>, 'default'>

/**
 * A ref of a shared value. Assigning stores the whole value; changes inside it (`poll.value.votes++`) are sent once per tick,
 * as a patch if possible. The promises of its methods need not be awaited, because `error` contains their errors.
 *
 * It is a computed, because its value belongs to all clients: state libraries restore, reset and persist only refs.
 */
export interface RealtimeState<T> extends WritableComputedRef<T> {
  /** The server has not yet sent the stored entry. */
  readonly loading: ComputedRef<boolean>
  /** Changes of this client on this key are not yet confirmed. */
  readonly pending: ComputedRef<boolean>
  /** Why a change was refused, until the next change; or why the key cannot be read. */
  readonly error: ComputedRef<Error | undefined>
  /** The version of the confirmed entry; `undefined` while it is not known. */
  readonly version: ComputedRef<number | undefined>
  /** Changes wait for `sync()` or for the end of `debounceMs`. */
  readonly isDirty: ComputedRef<boolean>
  /** Stores a value, even one that is already shown. */
  set(value: T): Promise<void>
  /** Removes the key; then the default is shown. */
  remove(): Promise<void>
  /** Adds to a number, 1 by default, atomically with concurrent increments. */
  increment(by?: number): Promise<void>
  /** Merges by property: concurrent changes of other properties are kept. */
  patch(patch: MergePatch<T>): Promise<void>
  /** Stores the result of the function for the newest value, and runs it again if another client wrote in the meantime. */
  update(run: (value: T) => T | undefined): Promise<void>
  /** Requests the entry from the server now. */
  refresh(): Promise<void>
  /** Sends waiting changes; settles when every change is confirmed. */
  sync(): Promise<void>
}

/**
 * The state of a key, shared with all clients that use it; `initial` is shown if nothing is stored. A changed key is followed:
 * unsent changes go to the old one. The schema of `RealtimeRegister` types the value. Ends with its scope.
 *
 * @throws {RealtimeError} `INVALID_KEY`, `INVALID_VALUE`, `INVALID_OPTIONS`, `CLOSED`.
 *
 * @example
 * const poll = useRealtimeState('poll', { question: 'Tabs?', yes: 0 })
 * poll.value.yes++ // sent as a patch
 */
export function useRealtimeState<T, Key extends string = string>(
  key: MaybeRefOrGetter<Key> & Unregistered<RegisteredValue<Key>>,
  initial: T,
  options?: UseRealtimeStateOptions,
): RealtimeState<T>
export function useRealtimeState<T = never, Key extends string = string>(
  key: MaybeRefOrGetter<Key>,
  initial: NamedOr<NoInfer<T>, RegisteredValue<Key>>,
  options?: UseRealtimeStateOptions,
): RealtimeState<NamedOr<T, RegisteredValue<Key>>>
export function useRealtimeState<T = never, Key extends string = string>(
  key: MaybeRefOrGetter<Key>,
): RealtimeState<NamedOr<T, RegisteredValue<Key>> | undefined>
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
    // Changes in place are already sent; only a difference from them is a change (S23).
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
