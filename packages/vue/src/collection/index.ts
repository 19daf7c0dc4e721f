export type { RealtimeItem } from './realtime-item.ts'
export { useRealtimeCollection, type RealtimeCollection, type UseRealtimeCollectionOptions } from './use-realtime-collection.ts'
