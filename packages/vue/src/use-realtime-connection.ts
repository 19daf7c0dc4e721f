import type { ConnectionState } from '@tutti/client'
import { computed, shallowRef, type ComputedRef } from 'vue'
import { bridgeObservable } from './bridge-observable.ts'
import { useRealtimeContext } from './realtime-context.ts'

/** The state of the connection as refs, with `connect` and `disconnect`. */
export type UseRealtimeConnectionReturn = { readonly [Name in keyof ConnectionState]: ComputedRef<ConnectionState[Name]> } & {
  /** Connects again after `disconnect()`, after `closed`, or at once instead of after the current wait. */
  connect(): void
  /** Goes offline until `connect()`; changes are queued until then. */
  disconnect(): void
}

/** The state shown in a page rendered on a server. */
const connecting: ConnectionState = { status: 'connecting', attempt: 0, reason: undefined, instance: undefined, degraded: false }

/**
 * The connection of this application.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS` outside of `setup()`.
 *
 * @example
 * const { status } = useRealtimeConnection()
 */
export function useRealtimeConnection(): UseRealtimeConnectionReturn {
  const { client, onServer } = useRealtimeContext()
  const onChange = (): void => void (shown.value = bridge.current)
  const bridge = bridgeObservable(client.connection, { onServer, rendered: () => connecting, onChange })
  const shown = shallowRef(bridge.current)
  return {
    status: computed(() => shown.value.status),
    attempt: computed(() => shown.value.attempt),
    reason: computed(() => shown.value.reason),
    instance: computed(() => shown.value.instance),
    degraded: computed(() => shown.value.degraded),
    connect: () => client.connection.connect(),
    disconnect: () => client.connection.disconnect(),
  }
}
