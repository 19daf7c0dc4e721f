import { useRealtimeChannel as useChannel, type UseRealtimeChannelOptions, type UseRealtimeChannelReturn } from '@tutti/vue/durable'
import type { MaybeRefOrGetter } from 'vue'
import type { RegisteredEvent } from '../registered-value'

/** A durable channel, with events typed by `shared/realtime.ts`; see `useRealtimeChannel` of `@tutti/vue/durable`. */
export function useRealtimeChannel<Channel extends string>(
  channel: MaybeRefOrGetter<Channel>,
  options?: UseRealtimeChannelOptions,
): UseRealtimeChannelReturn<RegisteredEvent<Channel>>
export function useRealtimeChannel<Data>(
  channel: MaybeRefOrGetter<string>,
  options?: UseRealtimeChannelOptions,
): UseRealtimeChannelReturn<Data>
export function useRealtimeChannel(channel: MaybeRefOrGetter<string>, options?: UseRealtimeChannelOptions): unknown {
  return useChannel(channel, options)
}
