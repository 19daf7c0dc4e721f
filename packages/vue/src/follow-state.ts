import type { StateHandle, StateOptions, StateSnapshot } from '@tutti/client'
import { isJsonObject, valueOf, type JsonValue } from '@tutti/protocol'
import { getCurrentInstance, onBeforeMount, onScopeDispose, shallowRef, toValue, watch, type MaybeRefOrGetter, type ShallowRef } from 'vue'
import { bridgeObservable } from './bridge-observable.ts'
import { createDraft, type Draft } from './draft.ts'
import { useRealtimeContext } from './realtime-context.ts'
import { sendChange } from './send-change.ts'

/** The state of a key in a component, until its scope ends. */
export interface FollowedState {
  /** What may be changed in place; it is sent once per tick. */
  readonly draft: Draft
  readonly snapshot: Readonly<ShallowRef<StateSnapshot<JsonValue | undefined>>>
  /** The handle, once it knows of all that was changed in place. */
  handle(): StateHandle<JsonValue>
  /** It was just made: an assignment is one of a library that restores its state, and no change (S23). */
  isNew(): boolean
}

/** Follows the state of a key, also when it becomes another key. `fallback` is shown where nothing is stored (S10). */
export function followState(
  key: MaybeRefOrGetter<string>,
  fallback: JsonValue | undefined,
  options: Omit<StateOptions<unknown>, 'default'>,
): FollowedState {
  const { client, onServer, owners, page } = useRealtimeContext()
  // Only a number is a default for the client too, where increments start: of all else one has to know whether it is stored.
  const start = typeof fallback === 'number' ? { default: fallback } : {}
  // Something else than an object would be nothing once it is spread; the client refuses it.
  const given: unknown = options
  const take = (): StateHandle<JsonValue> => client.state<JsonValue>(toValue(key), isJsonObject(given) ? { ...options, ...start } : options)
  const draft = createDraft(owners)
  let handle = take()
  // No scope ends on a server, and nothing is to be kept for it.
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
  /** Shows what the handle has; what was changed here meanwhile is sent first, so that it is among it. */
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
    // Takes back what was changed in place meanwhile.
    show()
    isNew = false
  }
  // What comes first: the end of the component's `setup`, or of the turn.
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
