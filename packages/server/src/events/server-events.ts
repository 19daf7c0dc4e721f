import { parseChannel, parsePattern, parseValue, type JsonValue } from '@tutti/protocol'
import { parseOptions, type OptionRows } from '@tutti/protocol/internal'
import { parseSubscriptionOptions, type SubscriptionOptions } from '../subscription-options.ts'

/** An event as received by server code. */
export interface ServerEvent {
  channel: string
  data: JsonValue
}

/** How server code publishes. */
export interface ServerPublishOptions {
  /** On a durable channel: an event whose id is in the log is not appended again. 1 to 64 characters. Unset by default. */
  id?: string | undefined
}

const PUBLISH_OPTIONS = {
  id: ['text of 1 to 64 characters', (value) => typeof value === 'string' && value.length > 0 && value.length <= 64, undefined],
} satisfies OptionRows<ServerPublishOptions>

/** Options of `publish`. Throws `INVALID_OPTIONS`. */
export const parsePublishOptions = (options: ServerPublishOptions = {}): ServerPublishOptions =>
  parseOptions('publish', PUBLISH_OPTIONS, options)

/** Events as server code uses them: with all rights as `realtime.events`, with those of a user as `realtime.as(user).events`. */
export interface ServerEvents {
  /**
   * Reaches every subscriber of the channel in the cluster: those here at once, the others through the relay.
   * The subscribers include the listeners of server code, also those of the same user. On a durable channel it settles when the
   * event is in the log.
   *
   * @throws {RealtimeError} `INVALID_CHANNEL`, `INVALID_VALUE`, `RELAY_FAILED` if only this instance has received it; for a user also the
   * codes that the user's own client receives. On a durable channel also `UNAVAILABLE`, `OUTCOME_UNKNOWN`, `BACKLOG_FULL`.
   */
  publish(channel: string, data: JsonValue, options?: ServerPublishOptions): Promise<void>
  /**
   * Calls the listener for each event on the channel, or on any channel that the pattern matches. Returns an unsubscribe
   * function.
   *
   * @throws {RealtimeError} `INVALID_CHANNEL`, `INVALID_OPTIONS`.
   */
  subscribe(pattern: string, listener: (event: ServerEvent) => void, options?: SubscriptionOptions): () => void
}

/** `realtime.events` over the parts of the events feature. */
export const createServerEvents = (
  publish: (event: ServerEvent, options: ServerPublishOptions) => Promise<void>,
  listen: (pattern: string, listener: (event: ServerEvent) => void) => () => void,
): ServerEvents => ({
  publish: async (channel, data, options) =>
    publish({ channel: parseChannel(channel), data: parseValue(data) }, parsePublishOptions(options)),
  subscribe: (pattern, listener, options) => {
    parseSubscriptionOptions('subscribe', options)
    return listen(parsePattern(pattern), listener)
  },
})
