import type { RealtimeSchema } from '@tutti/protocol'

/** The types of the application's keys and channels. The module adds `schema`, the type of `shared/realtime.ts`. */
export interface RealtimeRegister {}

/** The schema of the application; an empty one where there is none. */
export type RegisteredSchema = RealtimeRegister extends { schema: infer Schema extends RealtimeSchema } ? Schema : object
