import type { RealtimeClient } from '@tutti/client'
import { useRealtime as useClient } from '@tutti/vue'
import type { RegisteredSchema } from '../register'

/** The client of the page, with the types of `shared/realtime.ts`. */
export function useRealtime(): RealtimeClient<RegisteredSchema>
export function useRealtime(): unknown {
  return useClient()
}
