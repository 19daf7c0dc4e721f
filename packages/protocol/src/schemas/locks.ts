import * as v from 'valibot'
import { keySchema, prefixSchema, valueSchema } from './values.ts'

/** The longest time that a timer can wait, milliseconds. */
const MAX_MS = 2_147_483_647

const duration = v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(MAX_MS)))

/** A request of one connection, chosen by the client. */
const request = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, 'The request must be 1 to 64 letters, digits, _ or -.'))

const token = v.pipe(v.number(), v.safeInteger(), v.minValue(1))

/** The grant that a write is bound to. */
export const lockBindingSchema = v.object({ key: keySchema, token })

/** `lock:acquire`: without `waitMs` the request is not queued. */
export const lockAcquireSchema = v.object({
  key: keySchema,
  request,
  /** How long the lock lasts after a disconnect, milliseconds. */
  ttlMs: duration,
  /** How long the request waits for the lock, milliseconds. */
  waitMs: duration,
  info: v.optional(valueSchema),
})

/** `lock:cancel` */
export const lockCancelSchema = v.object({ key: keySchema, request })

const forced = v.object({ key: keySchema, force: v.literal(true) })
const own = v.object({ key: keySchema, token })

/** `lock:release`: the grant with this token, or with `force` that of any holder. */
export const lockReleaseSchema = v.lazy((message) => (names(message, 'force') ? forced : own))

const ofPrefix = v.object({ prefix: prefixSchema })
const ofKey = v.object({ key: keySchema })

/** `lock:subscribe` and `lock:unsubscribe`: one lock, or all below a prefix. */
export const lockSubscriptionSchema = v.lazy((message) => (names(message, 'prefix') ? ofPrefix : ofKey))

const names = (message: unknown, field: string): boolean => typeof message === 'object' && message !== null && field in message
