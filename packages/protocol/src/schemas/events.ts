import * as v from 'valibot'
import { MAX_HISTORY, MAX_REWIND } from '../limits.ts'
import { channelSchema, patternSchema, valueSchema } from './values.ts'

/** A position in the log of a durable channel, as the server sent it. */
export const offsetSchema = v.pipe(v.string(), v.regex(/^[\da-z]{1,11}-[\da-z]{1,11}$/, 'The offset must be one that the server sent.'))

const upTo = (most: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(most))

/**
 * `event:subscribe`: a channel or a pattern. On a durable channel the events after `offset` follow, or the newest `rewind`
 * ones; with `skipOwn` without those that this client published. With `durable` it is a subscription of its own, beside the one
 * without it, and refused with `UNSUPPORTED` on other channels.
 */
export const eventSubscribeSchema = v.object({
  channel: patternSchema,
  offset: v.optional(offsetSchema),
  rewind: v.optional(upTo(MAX_REWIND)),
  skipOwn: v.optional(v.boolean()),
  durable: v.optional(v.boolean()),
})

/** `event:unsubscribe`: of the subscription with the same `durable`. */
export const eventUnsubscribeSchema = v.object({ channel: patternSchema, durable: v.optional(v.boolean()) })

/**
 * `event:publish`: `includeSelf` decides only whether the publishing connection receives its own event. On a durable channel
 * an event with an `id` that is in the log is not appended again. With `durable` it is refused with `UNSUPPORTED` on other channels.
 */
export const eventPublishSchema = v.object({
  channel: channelSchema,
  data: valueSchema,
  includeSelf: v.optional(v.boolean()),
  id: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(64))),
  durable: v.optional(v.boolean()),
})

/** `event:history`: events of a durable channel before an offset, the newest ones without it. */
export const eventHistorySchema = v.object({
  channel: channelSchema,
  before: v.optional(offsetSchema),
  limit: v.optional(v.pipe(upTo(MAX_HISTORY), v.minValue(1))),
})
