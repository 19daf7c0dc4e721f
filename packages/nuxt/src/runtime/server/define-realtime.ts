import type { User } from '@tutti/server'
import type { AttachRealtimeOptions } from '@tutti/server/nitro2'

/** The options of the realtime server that an application sets in `server/realtime.ts`. They replace those of `nuxt.config.ts`. */
export type RealtimeDefinition<U extends User = User> = Omit<AttachRealtimeOptions<U>, 'state' | 'pubsub'>

/**
 * Types the default export of `server/realtime.ts`.
 *
 * @example
 * export default defineRealtime({ authenticate: ({ headers }) => userOf(headers.cookie) })
 */
export const defineRealtime = <U extends User = User>(definition: RealtimeDefinition<U>): RealtimeDefinition<U> => definition
