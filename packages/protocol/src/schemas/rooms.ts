import * as v from 'valibot'
import { parseMessageName } from '../names.ts'
import { roomSchema, valueSchema } from './values.ts'

/** `room:join` */
export const roomJoinSchema = v.object({ room: roomSchema })

/** `room:leave` */
export const roomLeaveSchema = v.object({ room: roomSchema })

const texts = v.array(v.string())

/** Connections: all, or those with these ids, of these users, and in these rooms. */
const selectionSchema = v.object({
  all: v.optional(v.literal(true)),
  connections: v.optional(texts),
  users: v.optional(texts),
  rooms: v.optional(texts),
})

const target = { to: selectionSchema, except: v.optional(selectionSchema) }
const limit = v.pipe(v.number(), v.safeInteger(), v.minValue(1))

/** A command of server code to all instances, on the Redis channel `<prefix>:$rooms`. */
export const roomCommandSchema = v.variant('do', [
  v.object({ do: v.literal('join'), ...target, rooms: v.array(roomSchema) }),
  v.object({ do: v.literal('leave'), ...target, rooms: v.array(roomSchema) }),
  v.object({ do: v.literal('move'), ...target, from: v.array(roomSchema), rooms: v.array(roomSchema) }),
  v.object({ do: v.literal('disconnect'), ...target }),
  v.object({
    do: v.literal('send'),
    ...target,
    message: v.object({ room: v.exactOptional(roomSchema), name: v.pipe(v.unknown(), v.transform(parseMessageName)), data: valueSchema }),
  }),
  v.object({ do: v.literal('connections'), ...target, limit }),
  v.object({ do: v.literal('rooms'), ...target, prefix: v.string(), limit }),
])

/** What one instance made of a command: the number of connections or rooms, and the first of them where they are requested. */
export const roomResultSchema = v.object({
  count: v.number(),
  connections: v.optional(v.array(v.object({ id: v.string(), user: v.string(), clientId: v.optional(v.string()) }))),
  rooms: v.optional(v.array(v.object({ room: v.string(), connections: v.number() }))),
})
