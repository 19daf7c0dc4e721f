import { DEFAULT_LIMITS } from '@tutti/protocol'
import {
  DEFAULT_RATES,
  isJsonObject,
  MAX_BACKLOG_BYTES,
  MAX_BACKLOG_PACKETS,
  parseOptions,
  wholeNumber,
  type OptionRow,
  type OptionRows,
} from '@tutti/protocol/internal'

/** Limits of users, connections and addresses. Rates hold per user and instance, or per connection without a user. */
export interface LimitOptions {
  /**
   * Subscriptions of one connection, keys and channels together. Beyond it: `TOO_MANY_SUBSCRIPTIONS`.
   *
   * @default 10_000
   */
  maxSubscriptions?: number | undefined
  /**
   * Keys in one message.
   *
   * @default 1_000
   */
  maxKeysPerMessage?: number | undefined
  /**
   * Changes of state per second, with a burst of the same size after a pause. Beyond it: `RATE_LIMITED`.
   *
   * @default 500
   */
  mutationsPerSecond?: number | undefined
  /**
   * Published events per second, counted like mutations.
   *
   * @default 500
   */
  eventsPerSecond?: number | undefined
  /**
   * Requests of any kind per second. A connection with as many refused requests in one second is closed.
   *
   * @default 2_000
   */
  requestsPerSecond?: number | undefined
  /**
   * Requests of one connection without a reply yet.
   *
   * @default 1_000
   */
  maxRequestsInFlight?: number | undefined
  /**
   * Connections of one address, as determined by `trustProxy`. IPv6 addresses count by /64.
   *
   * @default 10_000
   */
  maxConnectionsPerAddress?: number | undefined
  /**
   * Connection attempts of one address per second, successful or not. IPv6 addresses count by /64.
   *
   * @default 200
   */
  connectsPerSecondPerAddress?: number | undefined
}

/** Limits of a server whose Socket.IO server is created by `attachRealtime`. */
export interface AttachLimitOptions extends LimitOptions {
  /**
   * The size of one message in bytes, on WebSocket and on polling.
   *
   * @default 1_000_000
   */
  maxPayloadBytes?: number | undefined
}

/** How much data may be unsent for a connection that reads slowly. */
export interface BackpressureOptions {
  /**
   * Unsent packets. Beyond it, the connection receives no state updates until it reads again, then the newest entry of each key.
   *
   * @default 64
   */
  maxUnsentPackets?: number | undefined
  /**
   * Unsent bytes, with the same effect. If as many bytes of events and replies are added before it reads again, the connection
   * is closed (`SLOW_CONSUMER`).
   *
   * @default 1_048_576
   */
  maxUnsentBytes?: number | undefined
}

/** The end of an instance. */
export interface ShutdownOptions {
  /**
   * The maximum duration of `close()` in milliseconds. Three quarters of it are for pending replies.
   *
   * @default 5_000
   */
  drainMs?: number | undefined
  /**
   * How long clients wait before they reconnect to another instance, milliseconds.
   *
   * @default 0
   */
  reconnectAfterMs?: number | undefined
}

const LIMITS = {
  maxSubscriptions: wholeNumber(1, DEFAULT_LIMITS.maxSubscriptions),
  maxKeysPerMessage: wholeNumber(1, DEFAULT_LIMITS.maxKeysPerMessage),
  mutationsPerSecond: wholeNumber(1, DEFAULT_RATES.mutationsPerSecond),
  eventsPerSecond: wholeNumber(1, DEFAULT_RATES.eventsPerSecond),
  requestsPerSecond: wholeNumber(1, DEFAULT_RATES.requestsPerSecond),
  maxRequestsInFlight: wholeNumber(1, DEFAULT_RATES.maxRequestsInFlight),
  maxConnectionsPerAddress: wholeNumber(1, DEFAULT_RATES.maxConnectionsPerAddress),
  connectsPerSecondPerAddress: wholeNumber(1, DEFAULT_RATES.connectsPerSecondPerAddress),
} satisfies OptionRows<LimitOptions>

const ATTACH_LIMITS = {
  ...LIMITS,
  maxPayloadBytes: wholeNumber(1, DEFAULT_LIMITS.maxPayloadBytes),
} satisfies OptionRows<AttachLimitOptions>

const BACKPRESSURE = {
  maxUnsentPackets: wholeNumber(1, MAX_BACKLOG_PACKETS),
  maxUnsentBytes: wholeNumber(1, MAX_BACKLOG_BYTES),
} satisfies OptionRows<BackpressureOptions>

const SHUTDOWN = { drainMs: wholeNumber(0, 5_000), reconnectAfterMs: wholeNumber(0, 0) } satisfies OptionRows<ShutdownOptions>

/** The row of a group among the options of a server. */
export const group: OptionRow<undefined> = ['an object', isJsonObject, undefined]

/** Options of 0.1.0 and of Socket.IO, with the place of each today. */
export const RENAMED = {
  origin: 'origins',
  auditIntervalMs: 'reconcileIntervalMs',
  ...Object.fromEntries(Object.keys(LIMITS).map((name) => [name, `limits.${name}`])),
  maxRequestsUnderWay: 'limits.maxRequestsInFlight',
  maxBacklogPackets: 'backpressure.maxUnsentPackets',
  maxBacklogBytes: 'backpressure.maxUnsentBytes',
  ...Object.fromEntries(Object.keys(SHUTDOWN).map((name) => [name, `shutdown.${name}`])),
}

/** The group `limits` with its defaults. Throws `INVALID_OPTIONS`, naming the function (`owner`), the group and the option. */
export const parseLimits = (owner: string, limits: LimitOptions = {}) =>
  parseOptions<LimitOptions, typeof LIMITS>(`${owner}, \`limits\``, LIMITS, limits)

/** The same for `attachRealtime`. */
export const parseAttachLimits = (owner: string, limits: AttachLimitOptions = {}) =>
  parseOptions<AttachLimitOptions, typeof ATTACH_LIMITS>(`${owner}, \`limits\``, ATTACH_LIMITS, limits)

/** The group `backpressure` with its defaults. */
export const parseBackpressure = (owner: string, backpressure: BackpressureOptions = {}) =>
  parseOptions<BackpressureOptions, typeof BACKPRESSURE>(`${owner}, \`backpressure\``, BACKPRESSURE, backpressure)

/** The group `shutdown` with its defaults. */
export const parseShutdown = (owner: string, shutdown: ShutdownOptions = {}) =>
  parseOptions<ShutdownOptions, typeof SHUTDOWN>(`${owner}, \`shutdown\``, SHUTDOWN, shutdown)
