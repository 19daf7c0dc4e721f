export { createRealtime, type ExistingClientOptions, type PageOptions, type Realtime, type RealtimeOptions } from './create-realtime.ts'
export type { ListEntries, ReadEntries } from './page-entries.ts'
export type {
  RealtimeRegister,
  RegisteredEvent,
  RegisteredInfo,
  RegisteredMessage,
  RegisteredSchema,
  RegisteredValue,
} from './realtime-register.ts'
export { useRealtime } from './use-realtime.ts'
export { useRealtimeConnection, type UseRealtimeConnectionReturn } from './use-realtime-connection.ts'
export { useRealtimeEvents, type UseRealtimeEventsOptions, type UseRealtimeEventsReturn } from './use-realtime-events.ts'
export { useRealtimeState, type RealtimeState, type UseRealtimeStateOptions } from './use-realtime-state.ts'
