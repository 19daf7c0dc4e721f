/** The version of the wire that this package speaks; the client names it in the handshake. */
export const PROTOCOL_VERSION = 1

/** What changed in each version of the wire. A change of shape adds a line here and a golden fixture. */
export const PROTOCOL_HISTORY = {
  1: 'State by key and by prefix (get, subscribe, set, remove, increment, patch) and events by channel and pattern.',
} as const
