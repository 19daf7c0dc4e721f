export type { PresenceMember, PresentUser } from '@tutti/client/presence'
export {
  useRealtimeCursors,
  type RealtimeCursor,
  type UseRealtimeCursorsOptions,
  type UseRealtimeCursorsReturn,
} from './use-realtime-cursors.ts'
export { useRealtimePresence, type UseRealtimePresenceOptions, type UseRealtimePresenceReturn } from './use-realtime-presence.ts'
