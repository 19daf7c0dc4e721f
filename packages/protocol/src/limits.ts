/** The limits that server and client share, with their defaults. Each is an option of the server. */
export const DEFAULT_LIMITS = {
  /** Bytes of one message on any transport: Socket.IO's `maxHttpBufferSize`, and its default. */
  maxPayloadBytes: 1_000_000,
  /** Keys that one `storage:subscribe` or `storage:unsubscribe` may name. */
  maxKeysPerMessage: 1_000,
  /** Subscriptions of one connection, keys and channels together. */
  maxSubscriptions: 10_000,
} as const

/** Limits as the server names them in `server:hello`. */
export type Limits = { [Name in keyof typeof DEFAULT_LIMITS]: number }

/**
 * The request rates of one client, with the defaults. Each is an option of the server. A request above its rate is refused
 * with `RATE_LIMITED`.
 */
export const DEFAULT_RATES = {
  /**
   * `storage:set`, `:remove`, `:increment` and `:patch` per second, for one user on one instance, or for one connection without
   * a user. After a pause the same number is accepted at once.
   */
  mutationsPerSecond: 500,
  /** `event:publish`, counted in the same way. */
  eventsPerSecond: 500,
  /**
   * Requests of any kind, counted in the same way. A connection is closed when this many of its requests were refused within a
   * second.
   */
  requestsPerSecond: 2_000,
  /** Requests of one connection that have no reply yet. */
  maxRequestsInFlight: 1_000,
  /** Connections of one address. A proxy that is not configured (`trustProxy`) counts as one address. */
  maxConnectionsPerAddress: 10_000,
  /** Connection attempts of one address per second, successful or not. */
  connectsPerSecondPerAddress: 200,
} as const

/**
 * Maximum UTF-8 bytes of a key, channel or room name, and of the part before the `:` of a prefix or pattern. Part of the
 * grammar, so not an option.
 */
export const MAX_NAME_BYTES = 256

/** Maximum nesting of a value or of event data. Part of the grammar, so not an option. */
export const MAX_VALUE_DEPTH = 64

/** Values whose JSON is at most this many bytes are included in their notification. */
export const INLINE_VALUE_MAX_BYTES = 8_192

/** How long a client's last mutation on a key is remembered. */
export const MUTATION_MEMORY_MS = 86_400_000

/** How long a removed key keeps its version. */
export const TOMBSTONE_MS = 86_400_000

/** A write must begin within this time on the store's clock; later it is never applied. */
export const WRITE_TIMEOUT_MS = 5_000

/** Unsent packets of a connection; above this number its state updates pause. */
export const MAX_BACKLOG_PACKETS = 64

/**
 * Unsent bytes of a connection; above this number its state updates pause, and it is closed above this number of unsent bytes
 * of other messages.
 */
export const MAX_BACKLOG_BYTES = 1_048_576

/** Newest events of a durable channel that a subscription can begin with. */
export const MAX_REWIND = 1_000

/** Events of a durable channel in one reply to `event:history`. */
export const MAX_HISTORY = 100
