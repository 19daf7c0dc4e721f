import { parseChannel, parsePattern, parseValue, type JsonValue } from '@tutti/protocol'
import { parseSubscriptionOptions, type SubscriptionOptions } from '../subscription-options.ts'

/** An event as received by server code. */
export interface ServerEvent {
  channel: string
  data: JsonValue
}

/** Events as server code uses them: with all rights as `realtime.events`, with those of a user as `realtime.as(user).events`. */
export interface ServerEvents {
  /**
   * Reaches every subscriber of the channel in the cluster: those here at once, the others through the relay (E1).
   * The subscribers include the listeners of server code, also those of the same user. Rejects with `INVALID_CHANNEL`,
   * `INVALID_VALUE`, or `RELAY_FAILED` when only this instance has received it; for a user also as for its own client.
   */
  publish(channel: string, data: JsonValue): Promise<void>
  /**
   * Calls the listener for each event on the channel, or on any channel that the pattern matches (E3). Returns an unsubscribe
   * function.
   */
  subscribe(pattern: string, listener: (event: ServerEvent) => void, options?: SubscriptionOptions): () => void
}

/** `realtime.events` over the parts of the events feature. */
export const createServerEvents = (
  publish: (event: ServerEvent) => Promise<void>,
  listen: (pattern: string, listener: (event: ServerEvent) => void) => () => void,
): ServerEvents => ({
  publish: async (channel, data) => publish({ channel: parseChannel(channel), data: parseValue(data) }),
  subscribe: (pattern, listener, options) => {
    parseSubscriptionOptions('subscribe', options)
    return listen(parsePattern(pattern), listener)
  },
})
