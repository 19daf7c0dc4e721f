import { locks, type LockHolder } from '@tutti/client/lock'
import type { JsonValue } from '@tutti/protocol'
import { computed, onScopeDispose, shallowRef, toValue, watch, type ComputedRef, type MaybeRefOrGetter } from 'vue'
import { bridgeObservable } from '../bridge-observable.ts'
import { useRealtimeContext } from '../realtime-context.ts'

/** The locks below a prefix in a component. */
export interface UseRealtimeLocksReturn<Info> {
  /** Holders by key; empty in a page that is rendered on a server. */
  readonly holders: ComputedRef<ReadonlyMap<string, LockHolder<Info>>>
}

/**
 * The locks below a prefix that have a holder, for example all of a form. A changed prefix is followed. Ends with its scope.
 *
 * @throws {RealtimeError} `INVALID_KEY`, `CLOSED`.
 *
 * @example
 * const { holders } = useRealtimeLocks<{ name: string }>('form:1:')
 */
export function useRealtimeLocks<Info = JsonValue>(prefix: MaybeRefOrGetter<string>): UseRealtimeLocksReturn<Info> {
  const { client, onServer } = useRealtimeContext()
  let handle = locks<Info>(client, toValue(prefix))
  if (onServer) handle.dispose()
  const bridge = bridgeObservable<ReadonlyMap<string, LockHolder<Info>>>(handle, {
    onServer,
    rendered: () => new Map<string, LockHolder<Info>>(),
    onChange: () => {
      shown.value = bridge.current
    },
  })
  const shown = shallowRef(bridge.current)
  const follow = (): void => {
    const before = handle
    handle = locks<Info>(client, toValue(prefix))
    before.dispose()
    bridge.follow(handle)
  }
  watch(() => toValue(prefix), follow, { flush: 'sync' })
  onScopeDispose(() => handle.dispose(), true)
  return { holders: computed(() => shown.value) }
}
