import {
  anything,
  callback,
  DEFAULT_LIMITS,
  DEFAULT_RATES,
  flag,
  MAX_BACKLOG_BYTES,
  MAX_BACKLOG_PACKETS,
  parseOptions,
  required,
  wholeNumber,
  withMethods,
  type OptionRows,
  type RealtimeSchema,
  type Settings,
} from '@tutti/protocol'
import type { Coordination } from '@tutti/coordination/contract'
import type { PubSub } from '@tutti/pubsub'
import type { StateStore } from '@tutti/storage-driver/contract'
import type { Server } from 'socket.io'
import type { AuditListener } from './authorization/audit-log.ts'
import type { Authenticate } from './authentication/authenticate.ts'
import type { Authorize, User } from './authorization/authorize.ts'
import type { FeatureFactory, ServerErrorListener } from './feature.ts'
import { PRESENCE, type PresenceOptions } from './presence/presence-options.ts'

/** What a realtime server is made of, and how it behaves. */
export interface RealtimeServerOptions<U extends User = User> {
  /** The Socket.IO server whose default namespace carries the messages. It stays the caller's to close. */
  io: Server
  /** Where state lives: `reactiveRedisDriver(…)` or `reactiveDriver(…)`. Disposed by `close()`. */
  state: StateStore
  /** Tells other instances. Without it there is one instance, and a warning says so once (F5). Disposed by `close()`. */
  pubsub?: PubSub | undefined
  /** Names the user who connects, or refuses (X1). Default: everybody may connect, as nobody. */
  authenticate?: Authenticate<U> | undefined
  /** Says who may read, write, subscribe and publish what (X2). Default: everybody everything, but for internals. */
  authorize?: Authorize<U> | undefined
  /** What values and event data look like: `defineSchema({ state, events })` of `@tutti/protocol` (X6). Default: any JSON. */
  schema?: RealtimeSchema | undefined
  /**
   * Number of your own proxies in front of the server. Each appends to `X-Forwarded-For` (or `Forwarded`), and the entry of the
   * outermost one counts (X8). Default 0: the address is the socket's.
   */
  trustProxy?: number | undefined
  /**
   * Origins whose pages may connect beside the server's own: a list, e.g. `['https://app.example']`, or one of them. Cookies
   * count for these pages as for the server's own, so list only origins that you trust with the sessions of your users. `'*'`
   * lets the pages of all origins connect, without cookies. Default: none (X1).
   */
  origins?: readonly string[] | string | undefined
  /**
   * Leases and the members of rooms: `createRedisCoordination(pubsub.link, …)` or `createMemoryCoordination()`. Closed by
   * `close()`. `attachRealtime` makes it, except with a `pubsub` that is not a `RealtimePubSub`. Without it presence is off.
   */
  coordination?: Coordination | undefined
  /** How presence behaves; `false` switches it off. @default {} */
  presence?: PresenceOptions | false | undefined
  /** What else the server can do. Default: nothing. */
  features?: readonly FeatureFactory[] | undefined
  /** Subscriptions of one connection at most, keys and channels together. Default 10,000 (X5). */
  maxSubscriptions?: number | undefined
  /** Keys that one message may name. Default 1,000. */
  maxKeysPerMessage?: number | undefined
  /**
   * Changes of state that one user may ask for on this instance in a second, and as many at once after a pause; one
   * connection, where nobody is signed in. Default 500 (X5).
   */
  mutationsPerSecond?: number | undefined
  /** The same for events that are published. Default 500 (X5). */
  eventsPerSecond?: number | undefined
  /**
   * The same for requests of any kind. A connection is closed when as many were refused in a second. Default 2,000 (X5).
   */
  requestsPerSecond?: number | undefined
  /** Requests of one connection that wait for their reply. Default 1,000 (X5). */
  maxRequestsUnderWay?: number | undefined
  /** Connections of one address, as `trustProxy` says; IPv6 counts by /64. Default 10,000 (X5). */
  maxConnectionsPerAddress?: number | undefined
  /** Tries of one address to connect in a second, whatever becomes of them; IPv6 counts by /64. Default 200 (X5). */
  connectsPerSecondPerAddress?: number | undefined
  /** Packets that may wait for a connection to read. Past it, it is sent no changes of state until it reads, then the newest. Default 64 (C4). */
  maxBacklogPackets?: number | undefined
  /** Bytes that may wait so; past as much again of events and replies it is closed. Default 1,048,576 (C4). */
  maxBacklogBytes?: number | undefined
  /**
   * Frames of WebSockets are written without the steps of Socket.IO, where its internals are as expected. False: every packet
   * goes through Socket.IO, for a library that observes it. Default true.
   */
  directFrames?: boolean | undefined
  /**
   * A connected socket keeps its HTTP request, for applications that read `socket.request` later, for example the session of a
   * middleware. Otherwise `socket.request` has only `headers`, `url` and `method` after the listeners of `connection`; the
   * request takes 3 kB of each connection. Default: true on a Socket.IO server that you bring, false where `attachRealtime` makes it.
   */
  keepRequests?: boolean | undefined
  /** How long it takes to compare all keys that are watched here with the store once, milliseconds. Default 30,000; 0: never (S4). */
  auditIntervalMs?: number | undefined
  /** How long `close()` takes at most, milliseconds; pending replies get three quarters of it. Default 5,000 (C5). */
  drainMs?: number | undefined
  /** How long clients that are told to go elsewhere wait before they come back, milliseconds. Default 0 (C5). */
  reconnectAfterMs?: number | undefined
  /** Hears of failures that no caller awaits. Default: `console.error` (X10). */
  onError?: ServerErrorListener | undefined
  /**
   * Hears of refused sign-ins and rights, of rights that were taken away and of connections that were closed: for logs. Each
   * record is `{ at, user, address, action, target, code }` (X7). Default: nobody does.
   */
  onAudit?: AuditListener | undefined
  /** `onAudit` also hears of all that was allowed: a record for each request. Default false. */
  auditAllowed?: boolean | undefined
  /** Hears that there is no sync between instances (F5), or no `authorize` in production (X2). Default: `process.emitWarning`. */
  onWarning?: ((message: string) => void) | undefined
}

const NO_SCHEMA: RealtimeSchema = {}
const NO_FEATURES: readonly FeatureFactory[] = []
const warn = (message: string): void => process.emitWarning(message, 'TuttiWarning')

/** What the options take, without the Socket.IO server. */
export const SERVER_OPTIONS = {
  state: required(withMethods(['read', 'write', 'list', 'onChange', 'onGap', 'dispose'], undefined)),
  pubsub: withMethods(['publish', 'subscribe', 'onGap', 'dispose'], undefined),
  authenticate: callback(undefined),
  authorize: callback(undefined),
  schema: ['what `defineSchema` returns', (value) => typeof value === 'object' && value !== null, NO_SCHEMA],
  trustProxy: wholeNumber(0, 0),
  origins: anything, // `parseOrigins` names the entry that is wrong.
  coordination: withMethods(['members', 'onRoomOpen', 'onRoomEmpty', 'close'], undefined),
  presence: PRESENCE,
  features: ['a list of functions', (value) => Array.isArray(value) && value.every((create) => typeof create === 'function'), NO_FEATURES],
  maxSubscriptions: wholeNumber(1, DEFAULT_LIMITS.maxSubscriptions),
  maxKeysPerMessage: wholeNumber(1, DEFAULT_LIMITS.maxKeysPerMessage),
  mutationsPerSecond: wholeNumber(1, DEFAULT_RATES.mutationsPerSecond),
  eventsPerSecond: wholeNumber(1, DEFAULT_RATES.eventsPerSecond),
  requestsPerSecond: wholeNumber(1, DEFAULT_RATES.requestsPerSecond),
  maxRequestsUnderWay: wholeNumber(1, DEFAULT_RATES.maxRequestsUnderWay),
  maxConnectionsPerAddress: wholeNumber(1, DEFAULT_RATES.maxConnectionsPerAddress),
  connectsPerSecondPerAddress: wholeNumber(1, DEFAULT_RATES.connectsPerSecondPerAddress),
  maxBacklogPackets: wholeNumber(1, MAX_BACKLOG_PACKETS),
  maxBacklogBytes: wholeNumber(1, MAX_BACKLOG_BYTES),
  directFrames: flag(true),
  keepRequests: flag(undefined),
  auditIntervalMs: wholeNumber(0, 30_000),
  drainMs: wholeNumber(0, 5_000),
  reconnectAfterMs: wholeNumber(0, 0),
  onError: callback(undefined),
  onAudit: callback(undefined),
  auditAllowed: flag(false),
  onWarning: callback(warn),
} satisfies OptionRows<Omit<RealtimeServerOptions, 'io'>>

const WITH_IO = { ...SERVER_OPTIONS, io: required(withMethods(['use', 'on', 'of'], undefined)) } satisfies OptionRows<RealtimeServerOptions>

/** Options that are known to be right, with their defaults. */
export type RealtimeServerSettings<U extends User = User> = Settings<RealtimeServerOptions<U>, typeof WITH_IO>

/** Options of `createRealtimeServer`. Throws `INVALID_OPTIONS`. */
export const parseServerOptions = <U extends User>(options: RealtimeServerOptions<U>): RealtimeServerSettings<U> =>
  parseOptions('createRealtimeServer', WITH_IO, options)
