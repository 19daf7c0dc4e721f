import type { EventMap, RealtimeClient } from '@tutti/client'
import { useRealtimeContext } from './realtime-context.ts'
import type { RegisteredSchema } from './realtime-register.ts'

/**
 * The client of this application, with the types of the schema of `RealtimeRegister` or those that the caller names. On a server it
 * is never connected.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS` outside of `setup()`.
 */
export function useRealtime<Types extends EventMap = RegisteredSchema>(): RealtimeClient<Types>
export function useRealtime(): unknown {
  return useRealtimeContext().client
}
