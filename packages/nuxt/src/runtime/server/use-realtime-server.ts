import { useRealtime, type AttachedRealtimeServer } from '@tutti/server/nitro2'

/**
 * The realtime server of this application, for routes, plugins and tasks. Its `state` and `events` have all rights;
 * `as(user)` has those of a user. Throws `CLOSED` where the application has none.
 */
export const useRealtimeServer = (): AttachedRealtimeServer => useRealtime()
