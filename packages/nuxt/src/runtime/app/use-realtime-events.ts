import type { EventMap } from '@tutti/client'
import { useRealtimeEvents as useEvents, type UseRealtimeEventsOptions, type UseRealtimeEventsReturn } from '@tutti/vue'
import type { RegisteredSchema } from '../register'

/** Events, typed by `shared/realtime.ts` or by a map of channels; see `useRealtimeEvents` of `@tutti/vue`. */
export const useRealtimeEvents = <Channels extends EventMap = RegisteredSchema>(
  options?: UseRealtimeEventsOptions,
): UseRealtimeEventsReturn<Channels> => useEvents<Channels>(options)
