import { useRealtimeCollection as useCollection, type RealtimeCollection, type UseRealtimeCollectionOptions } from '@tutti/vue/collection'
import type { MaybeRefOrGetter } from 'vue'
import type { RegisteredValue } from '../registered-value'

/** All entries below a prefix, typed by `shared/realtime.ts`; see `useRealtimeCollection` of `@tutti/vue/collection`. */
export function useRealtimeCollection<Prefix extends string>(
  prefix: MaybeRefOrGetter<Prefix>,
  options?: UseRealtimeCollectionOptions,
): RealtimeCollection<RegisteredValue<`${Prefix}${string}`>>
export function useRealtimeCollection<T>(prefix: MaybeRefOrGetter<string>, options?: UseRealtimeCollectionOptions): RealtimeCollection<T>
export function useRealtimeCollection(prefix: MaybeRefOrGetter<string>, options?: UseRealtimeCollectionOptions): unknown {
  return useCollection(prefix, options)
}
