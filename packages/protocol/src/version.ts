/** The protocol version of this package; the client sends it in the handshake. */
export const PROTOCOL_VERSION = 1

/** The changes of each protocol version. A change of a shape adds a line here and a golden fixture. */
export const PROTOCOL_HISTORY = {
  1: 'State by key and by prefix (get, subscribe, set, remove, increment, patch), events by channel and pattern, presence by room, and locks by key.',
} as const
