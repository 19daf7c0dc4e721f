import type { RealtimeClient } from '@tutti/client'
import { useRealtimeContext } from './realtime-context.ts'

/**
 * The client of this application. On a server it is never connected.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS` outside of `setup()`.
 */
export const useRealtime = (): RealtimeClient => useRealtimeContext().client
