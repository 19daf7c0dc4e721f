import type { JsonValue } from '@tutti/protocol'
import { useRealtimePresence as usePresence, type UseRealtimePresenceOptions, type UseRealtimePresenceReturn } from '@tutti/vue/presence'
import type { MaybeRefOrGetter } from 'vue'
import type { RegisteredInfo } from '../registered-value'

/** The info of a room without a schema has the type that the application names, or that of the option. */
type UnregisteredRoom<Room extends string> = unknown extends RegisteredInfo<Room> ? unknown : never

/** The members of a room, with info typed by `shared/realtime.ts`; see `useRealtimePresence` of `@tutti/vue/presence`. */
export function useRealtimePresence<Info = JsonValue, Room extends string = string>(
  room: MaybeRefOrGetter<Room> & UnregisteredRoom<Room>,
  options?: UseRealtimePresenceOptions<Info>,
): UseRealtimePresenceReturn<Info>
export function useRealtimePresence<Room extends string>(
  room: MaybeRefOrGetter<Room>,
  options?: UseRealtimePresenceOptions<RegisteredInfo<Room>>,
): UseRealtimePresenceReturn<RegisteredInfo<Room>>
export function useRealtimePresence(room: MaybeRefOrGetter<string>, options?: UseRealtimePresenceOptions<unknown>): unknown {
  return usePresence(room, options)
}
