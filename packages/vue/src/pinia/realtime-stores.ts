import type { PiniaPluginContext } from 'pinia'
import { effectScope, onScopeDispose, toRaw, type EffectScope, type Ref } from 'vue'
import { isRealtimeState } from '../is-realtime-state.ts'
import { useRealtimeContext } from '../realtime-context.ts'

/** Names the shared state in a page's copy of a store, which contains everything else. */
const SHARED = '$realtime'

/**
 * A Pinia plugin. Keeps shared state out of a store's own state, which Pinia restores from pages, devtools and storage, and resets.
 * Needed for option stores; in setup stores it lets `$patch` and `$state =` reach shared state.
 *
 * @example
 * createPinia().use(realtimeStores)
 */
export function realtimeStores({ store, app, options }: PiniaPluginContext): void {
  const raw = toRaw(store)
  const own: Record<string, unknown> = toRaw(store.$state)

  /** Makes the shared state accessible through the store, but hides it from code that lists the store's state. */
  const share = (name: string, state: Ref<unknown>): void => {
    // `storeToRefs` and devtools treat it as a getter.
    Reflect.set(raw, name, state)
    Reflect.defineProperty(own, name, {
      configurable: true,
      enumerable: false,
      get: () => state.value,
      // The state that `$reset` creates is the same state.
      set: (value) => {
        if (!isRealtimeState(value)) state.value = value
      },
    })
  }

  if (!('state' in options) || typeof options.state !== 'function') {
    for (const [name, value] of Object.entries(raw)) if (isShared(value)) share(name, value)
    return
  }
  const makeState = options.state
  const carried = own[SHARED]
  // A store restored from a page never runs `state()`, and would have a copy that nothing updates.
  const made: object = Array.isArray(carried) ? app.runWithContext(makeState) : own
  delete own[SHARED]
  const names = Object.entries(made).flatMap(([name, value]) => {
    if (!isShared(value)) return []
    share(name, value)
    return name
  })
  if (names.length === 0) return
  if (app.runWithContext(useRealtimeContext).onServer) own[SHARED] = names

  let lastReset: EffectScope | undefined
  const { $reset } = store
  store.$reset = () => {
    lastReset?.stop()
    lastReset = effectScope(true)
    lastReset.run(() => app.runWithContext(() => $reset.call(store)))
  }
  onScopeDispose(() => lastReset?.stop())
}

const isShared = (value: unknown): value is Ref<unknown> => isRealtimeState(value)
