import { useRealtime } from '@tutti/server/nitro2'
import type { RegisteredRealtimeServer } from './registered-server'

/**
 * The realtime server of this application, for routes, plugins and tasks. Its `state` and `events` have all rights;
 * `as(user)` has those of a user. Keys and channels have the types of `shared/realtime.ts`.
 *
 * @throws {RealtimeError} `CLOSED` if the application has none.
 *
 * @example
 * export default defineEventHandler(() => useRealtimeServer().state.get('visits'))
 */
export function useRealtimeServer(): RegisteredRealtimeServer
export function useRealtimeServer(): unknown {
  return useRealtime()
}
