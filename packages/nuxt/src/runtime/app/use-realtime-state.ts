import { useRealtimeState as useState, type RealtimeState, type UseRealtimeStateOptions } from '@tutti/vue'
import type { MaybeRefOrGetter } from 'vue'
import type { RegisteredValue, Unregistered } from '../registered-value'

/** A ref of the shared value of a key, typed by `shared/realtime.ts`; see `useRealtimeState` of `@tutti/vue`. */
export function useRealtimeState<Key extends string>(
  key: MaybeRefOrGetter<Key>,
  initial: unknown extends RegisteredValue<Key> ? never : RegisteredValue<Key>,
  options?: UseRealtimeStateOptions,
): RealtimeState<RegisteredValue<Key>>
export function useRealtimeState<T, Key extends string = string>(
  key: MaybeRefOrGetter<Key> & Unregistered<Key>,
  initial: T,
  options?: UseRealtimeStateOptions,
): RealtimeState<T>
export function useRealtimeState<Key extends string>(key: MaybeRefOrGetter<Key>): RealtimeState<RegisteredValue<Key> | undefined>
export function useRealtimeState<T>(key: MaybeRefOrGetter<string>): RealtimeState<T | undefined>
export function useRealtimeState(key: MaybeRefOrGetter<string>, initial?: unknown, options?: UseRealtimeStateOptions): unknown {
  return useState(key, initial, options)
}
