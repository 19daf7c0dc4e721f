import type { StateHandle, StateOptions, StateSnapshot } from '@tutti/client'
import type { JsonValue } from '@tutti/protocol'
import { isJsonObject, valueOf } from '@tutti/protocol/internal'
import { getCurrentInstance, onBeforeMount, onScopeDispose, shallowRef, toValue, watch, type MaybeRefOrGetter, type ShallowRef } from 'vue'
import { bridgeObservable } from './bridge-observable.ts'
import { createDraft, type Draft } from './draft.ts'
import { useRealtimeContext } from './realtime-context.ts'
import { sendChange } from './send-change.ts'

/** The state of a key in a component, until its scope ends. */
export interface FollowedState {
  /** The value that may be changed in place; changes are sent once per tick. */
  readonly draft: Draft
  readonly snapshot: Readonly<ShallowRef<StateSnapshot<JsonValue | undefined>>>
  /** The handle, after all changes in place were applied to it. */
  handle(): StateHandle<JsonValue>
  /** The state was just created: an assignment comes from a library that restores its state, and is not a change (S23). */
  isNew(): boolean
}

/** Follows the state of a key, also if the key changes. `fallback` is shown if nothing is stored (S10). */
export function followState(
  key: MaybeRefOrGetter<string>,
  fallback: JsonValue | undefined,
  options: Omit<StateOptions<unknown>, 'default'>,
): FollowedState {
  const { client, onServer, owners, page } = useRealtimeContext()
  // Only a number is a default of the client too, because increments start there. For other values the composable must know
  // whether one is stored.
  const start = typeof fallback === 'number' ? { default: fallback } : {}
  // A spread would turn any other type into an empty object; the client refuses it.
  const given: unknown = options
  const take = (): StateHandle<JsonValue> => client.state<JsonValue>(toValue(key), isJsonObject(given) ? { ...options, ...start } : options)
  const draft = createDraft(owners)
  let handle = take()
  // No scope ends on a server, and nothing is retained there.
  if (onServer) handle.dispose()

  const asRendered = (): StateSnapshot<JsonValue | undefined> => {
    const entry = page.get(handle.key)
    const error = page.refusal(handle.key)
    return { value: entry && valueOf(entry), loading: !entry && !error, pending: false, error, version: entry?.version, isDirty: false }
  }
  let isNew = true
  const send = (): void => {
    const change = draft.takeChange()
    if (change && !isNew) void sendChange(handle, change, change.from !== fallback)
  }
  /** Shows the value of the handle. Pending changes in place are sent first, so that they are included. */
  const show = (): void => {
    send()
    const { value } = (snapshot.value = bridge.current)
    draft.show(value === undefined ? fallback : value)
  }
  const bridge = bridgeObservable(handle, { onServer, rendered: asRendered, load: () => page.load(handle.key), onChange: show })
  const snapshot = shallowRef(bridge.current)
  show()
  watch(draft.track, show)
  const settle = (): void => {
    if (!isNew) return
    // Reverts pending changes in place.
    show()
    isNew = false
  }
  // Whichever comes first: the end of the component's `setup`, or of the turn.
  if (getCurrentInstance()) onBeforeMount(settle)
  void Promise.resolve().then(settle)
  const follow = (): void => {
    const before = handle
    send()
    handle = take()
    before.dispose()
    draft.reset()
    bridge.follow(handle)
  }
  watch(() => toValue(key), follow, { flush: 'sync' })
  onScopeDispose(() => {
    send()
    handle.dispose()
  }, true)
  return {
    draft,
    snapshot,
    isNew: () => isNew,
    handle: () => {
      show()
      return handle
    },
  }
}
