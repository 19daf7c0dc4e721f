import { parseChannel, parsePattern, parseValue, type JsonValue } from '@tutti/protocol'

/** An event as server code hears it. */
export interface ServerEvent {
  channel: string
  data: JsonValue
}

/** Events as server code uses them: `realtime.events`. */
export interface ServerEvents {
  /**
   * Reaches every subscriber of the channel in the cluster: those here at once, the others through the relay (E1).
   * Rejects with `INVALID_CHANNEL`, `INVALID_VALUE`, or `RELAY_FAILED` when only this instance has heard it.
   */
  publish(channel: string, data: JsonValue): Promise<void>
  /** Calls the listener for each event on the channel, or on any that the pattern matches (E3). Returns its undo. */
  subscribe(pattern: string, listener: (event: ServerEvent) => void): () => void
}

/** `realtime.events` over the parts of the events feature. */
export const createServerEvents = (
  publish: (event: ServerEvent) => Promise<void>,
  listen: (pattern: string, listener: (event: ServerEvent) => void) => () => void,
): ServerEvents => ({
  publish: async (channel, data) => publish({ channel: parseChannel(channel), data: parseValue(data) }),
  subscribe: (pattern, listener) => listen(parsePattern(pattern), listener),
})
