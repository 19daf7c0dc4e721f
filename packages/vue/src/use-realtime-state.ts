import type { MergePatch, StateHandle, StateOptions, StateSnapshot } from '@tutti/client'
import { parseValue, valueOf, type JsonValue } from '@tutti/protocol'
import { computed, customRef, onScopeDispose, shallowRef, toValue, watch, type ComputedRef, type MaybeRefOrGetter, type Ref } from 'vue'
import { bridgeSource } from './bridge-source.ts'
import { createDraft } from './draft.ts'
import { plainCopy } from './plain-copy.ts'
import { useRealtimeContext } from './realtime-context.ts'
import { sendChange } from './send-change.ts'

/** How the state behaves; see `StateOptions`. */
export type UseRealtimeStateOptions = Omit<StateOptions<unknown>, 'default'>

/**
 * A ref of a shared value. Assigning stores the whole value; what is changed inside it (`poll.value.votes++`) is sent once
 * per tick, as a patch where that can say it (S8). The promises of its methods need not be awaited, for `error` says the same.
 */
export interface RealtimeState<T> extends Ref<T> {
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
  /** Stores a value, like assigning it. */
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
  const { client, onServer, owners, rendered, load } = useRealtimeContext()
  const fallback = initial === undefined ? undefined : parseValue(plainCopy(initial))
  const orFallback = (value: JsonValue | undefined): JsonValue | undefined => (value === undefined ? fallback : value)
  // Only a number is a default for the client too, as the start of increments: of all else one has to know whether it is stored.
  const start = typeof fallback === 'number' ? { default: fallback } : {}
  const take = (): StateHandle<JsonValue> => client.state<JsonValue>(toValue(key), { ...options, ...start })
  const draft = createDraft(owners)
  let handle = take()

  const asRendered = (): StateSnapshot<JsonValue | undefined> => {
    const entry = rendered(handle.key)
    return { value: entry && valueOf(entry), loading: !entry, pending: false, error: undefined, version: entry?.version, isDirty: false }
  }
  const send = (): void => {
    const change = draft.takeChange()
    if (change) void sendChange(handle, change, change.from !== fallback)
  }
  /** Shows what the handle has; what the application changed meanwhile is sent first, so that it is among it. */
  const show = (): void => {
    send()
    snapshot.value = bridge.current
    draft.show(orFallback(bridge.current.value))
  }
  const bridge = bridgeSource(handle, { onServer, rendered: asRendered, load: () => load(handle.key), onChange: show })
  const snapshot = shallowRef(bridge.current)
  draft.show(orFallback(bridge.current.value))
  watch(() => draft.value, show, { deep: true })
  watch(
    () => toValue(key),
    () => {
      const before = handle
      send()
      handle = take()
      before.dispose()
      draft.reset()
      bridge.follow(handle)
    },
    { flush: 'sync' },
  )
  onScopeDispose(() => {
    send()
    handle.dispose()
  }, true)

  /** The handle, once it knows of everything that was done so far. */
  const current = (): StateHandle<JsonValue> => {
    show()
    return handle
  }
  const set = (value: JsonValue | undefined): Promise<void> => (value === undefined ? current().remove() : current().set(value))
  return Object.assign(
    customRef<JsonValue | undefined>(() => ({ get: () => draft.value, set: (value) => void set(value) })),
    {
      loading: computed(() => snapshot.value.loading),
      pending: computed(() => snapshot.value.pending),
      error: computed(() => snapshot.value.error),
      version: computed(() => snapshot.value.version),
      isDirty: computed(() => snapshot.value.isDirty),
      set,
      remove: () => current().remove(),
      increment: (by?: number) => current().increment(by),
      patch: (patch: MergePatch<JsonValue>) => current().patch(patch),
      // A copy, for the function may be one that changes what it is given.
      update: (run: (value: JsonValue | undefined) => JsonValue | undefined) =>
        current().update((value) => {
          const newest = orFallback(value)
          return run(newest === undefined ? undefined : plainCopy(newest))
        }),
      refresh: () => current().refresh(),
      sync: () => current().sync(),
    },
  )
}
