/** The limits that server and client share, with their defaults. Each is an option of the server (X5). */
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

/** How much one client may ask for, with the defaults. Each is an option of the server (X5); who asks for more is told `RATE_LIMITED`. */
export const DEFAULT_RATES = {
  /** `storage:set`, `:remove`, `:increment` and `:patch` of one user on one instance in a second, and as many at once after a pause; of one connection where nobody is signed in. */
  mutationsPerSecond: 500,
  /** `event:publish`, counted in the same way. */
  eventsPerSecond: 500,
  /** Requests of any kind, counted in the same way. A connection is closed when as many were refused in a second. */
  requestsPerSecond: 2_000,
  /** Requests of one connection that have no reply yet. */
  maxRequestsUnderWay: 1_000,
  /** Connections of one address. A proxy that the server isn't told of is one address. */
  maxConnectionsPerAddress: 10_000,
  /** Tries of one address to connect in a second, whatever becomes of them. */
  connectsPerSecondPerAddress: 200,
} as const

/** UTF-8 bytes of a key, channel or room name at most, and of what stands before the `:` of a prefix or pattern (S19). Part of the grammar, so no option. */
export const MAX_NAME_BYTES = 256

/** Levels of nesting in a value or in event data at most (X4). Part of the grammar, so no option. */
export const MAX_VALUE_DEPTH = 64

/** Values whose JSON is at most this many bytes travel with their notification (S5). */
export const INLINE_VALUE_MAX_BYTES = 8_192

/** How long a client's last mutation on a key is remembered (S12). */
export const MUTATION_MEMORY_MS = 86_400_000

/** How long a removed key keeps its version (S1). */
export const TOMBSTONE_MS = 86_400_000

/** By when, on the store's clock, a write must have begun to be applied; later it never will be (F2). */
export const WRITE_TIMEOUT_MS = 5_000

/** Packets that wait for a connection to read; past it state updates stop for that connection (C4). */
export const MAX_BACKLOG_PACKETS = 64

/** Bytes that wait for a connection to read; past it state updates stop for it, and past as much again it is closed (C4). */
export const MAX_BACKLOG_BYTES = 1_048_576
