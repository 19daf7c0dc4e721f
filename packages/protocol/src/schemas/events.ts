import * as v from 'valibot'
import { channelSchema, patternSchema, valueSchema } from './values.ts'

/** `event:subscribe` and `event:unsubscribe`: a channel or a pattern (E3). */
export const eventSubscriptionSchema = v.object({ channel: patternSchema })

/** `event:publish`: `includeSelf` decides only whether the publishing connection receives its own event (E2). */
export const eventPublishSchema = v.object({ channel: channelSchema, data: valueSchema, includeSelf: v.optional(v.boolean()) })
