export * from '@tutti/vue'
export * from '@tutti/vue/collection'
export * from '@tutti/vue/durable'
export * from '@tutti/vue/presence'
// These replace the exports above: they have the types of `shared/realtime.ts`.
export { useRealtime } from './use-realtime'
export { useRealtimeCollection } from './use-realtime-collection'
export { useRealtimeEvents } from './use-realtime-events'
export { useRealtimeState } from './use-realtime-state'
