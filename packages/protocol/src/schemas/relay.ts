import * as v from 'valibot'
import { channelSchema, patternSchema, roomSchema, valueSchema } from './values.ts'

/** An event between instances, on the Redis channel `<prefix>:events`. The pubsub adds `origin`. */
export const relayedEventSchema = v.object({ channel: channelSchema, data: valueSchema })

/** Revoked rights of a user, on the Redis channel `<prefix>:revocations`. */
export const revocationSchema = v.object({ user: v.string(), pattern: v.optional(patternSchema), room: v.optional(roomSchema) })
