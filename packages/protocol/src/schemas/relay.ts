import * as v from 'valibot'
import { channelSchema, valueSchema } from './values.ts'

/** An event between instances, on the Redis channel `<prefix>:events` (N8). `origin` is added by the pubsub. */
export const relayedEventSchema = v.object({ channel: channelSchema, data: valueSchema })
