import {
  durableChannel,
  type ChannelGap,
  type ChannelRecord,
  type ChannelSnapshot,
  type DurableChannel,
  type PendingEvent,
} from '@tutti/client/durable'
import type { JsonValue } from '@tutti/protocol'
import { parseOptions, wholeNumber, type OptionRows } from '@tutti/protocol/internal'
import { computed, onScopeDispose, shallowRef, toValue, watch, type ComputedRef, type MaybeRefOrGetter } from 'vue'
import { bridgeObservable } from '../bridge-observable.ts'
import { useRealtimeContext } from '../realtime-context.ts'
import type { NamedOr, RegisteredEvent } from '../realtime-register.ts'

/** Options of `useRealtimeChannel`. */
export interface UseRealtimeChannelOptions {
  /** Number of newest events that are loaded first, up to 1,000. @default 50 */
  rewind?: number | undefined
}

/** Any JSON where no schema matches. */
type JsonUnless<Registered> = unknown extends Registered ? JsonValue : Registered

const OPTIONS = { rewind: wholeNumber(0, 50, 1_000) } satisfies OptionRows<UseRealtimeChannelOptions>

/** A durable channel in a component. */
export interface UseRealtimeChannelReturn<Data> {
  /** The events in the order of the log, each once, those of this client included. */
  readonly records: ComputedRef<readonly ChannelRecord<Data>[]>
  /** Published here and not yet acknowledged, for example offline. */
  readonly pending: ComputedRef<readonly PendingEvent<Data>[]>
  /** The last gap: events after `from` and up to `offset` may be missing. */
  readonly gap: ComputedRef<ChannelGap | undefined>
  /** Older events may be in the log. */
  readonly hasMore: ComputedRef<boolean>
  /** The server has not yet replied; true in a page that is rendered on a server. */
  readonly loading: ComputedRef<boolean>
  /** Why the channel cannot be subscribed to. */
  readonly error: ComputedRef<Error | undefined>
  /** Publishes on the current channel; without a connection the event waits. Settles with its offset. */
  publish(data: Data): Promise<string>
  /** Loads older events, 50 by default. */
  loadMore(limit?: number): Promise<void>
}

const LOADING: ChannelSnapshot<never> = { records: [], pending: [], gap: undefined, hasMore: true, loading: true, error: undefined }

/**
 * A durable channel: its newest events, older ones on demand, and what this client publishes, also offline. A changed channel is
 * followed. The schema of `RealtimeRegister` types the events. Ends with its scope.
 *
 * @throws {RealtimeError} `INVALID_CHANNEL`, `INVALID_OPTIONS`, `CLOSED`.
 *
 * @example
 * const { records, pending, publish, loadMore } = useRealtimeChannel<Message>('chat:room1', { rewind: 20 })
 */
export function useRealtimeChannel<Data = never, Channel extends string = string>(
  channel: MaybeRefOrGetter<Channel>,
  options?: UseRealtimeChannelOptions,
): UseRealtimeChannelReturn<NamedOr<Data, JsonUnless<RegisteredEvent<Channel>>>>
export function useRealtimeChannel(
  channel: MaybeRefOrGetter<string>,
  options: UseRealtimeChannelOptions = {},
): UseRealtimeChannelReturn<unknown> {
  const { rewind } = parseOptions('useRealtimeChannel', OPTIONS, options)
  const { client, onServer } = useRealtimeContext()
  const open = (): DurableChannel<unknown> => durableChannel<unknown>(client, toValue(channel), { rewind })
  let handle = open()
  // No scope ends on a server, and nothing is retained there.
  if (onServer) handle.dispose()
  const onChange = (): void => {
    shown.value = bridge.current
  }
  const bridge = bridgeObservable<ChannelSnapshot<unknown>>(handle, { onServer, rendered: () => LOADING, onChange })
  const shown = shallowRef(bridge.current)
  const follow = (): void => {
    const before = handle
    handle = open()
    before.dispose()
    bridge.follow(handle)
  }
  watch(() => toValue(channel), follow, { flush: 'sync' })
  onScopeDispose(() => handle.dispose(), true)
  return {
    records: computed(() => shown.value.records),
    pending: computed(() => shown.value.pending),
    gap: computed(() => shown.value.gap),
    hasMore: computed(() => shown.value.hasMore),
    loading: computed(() => shown.value.loading),
    error: computed(() => shown.value.error),
    publish: (data) => handle.publish(data),
    loadMore: (limit) => handle.loadMore(limit),
  }
}
