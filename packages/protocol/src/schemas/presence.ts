import * as v from 'valibot'
import { roomSchema, valueSchema } from './values.ts'

const info = v.optional(valueSchema)
const sequence = v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))
const count = v.optional(v.literal(true))

/**
 * `presence:join`: without `info` the info of the member is null. A member that joins again keeps its id. `sequence` grows with each
 * connection of the client, so that a join of an earlier one that arrives late has no effect.
 */
export const presenceJoinSchema = v.object({ room: roomSchema, info, sequence })

/** `presence:update` */
export const presenceUpdateSchema = v.object({ room: roomSchema, info: valueSchema })

/** `presence:leave` */
export const presenceLeaveSchema = v.object({ room: roomSchema })

/** `presence:subscribe` and `presence:unsubscribe`: the members of a room, or with `count` their number only. */
export const presenceSubscriptionSchema = v.object({ room: roomSchema, count })

/** `presence:cursor`: the newest position of the member; null removes it. */
export const presenceCursorSchema = v.object({ room: roomSchema, data: valueSchema })
