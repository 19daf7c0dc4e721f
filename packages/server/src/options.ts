import {
  DEFAULT_LIMITS,
  DEFAULT_RATES,
  MAX_BACKLOG_BYTES,
  MAX_BACKLOG_PACKETS,
  RealtimeError,
  type Limits,
  type RealtimeSchema,
} from '@tutti/protocol'
import type { PubSub } from '@tutti/pubsub'
import type { StateStore } from '@tutti/storage-driver/contract'
import type { Server } from 'socket.io'
import type { AuditListener } from './access/audit-trail.ts'
import type { Authenticate } from './access/authenticate.ts'
import { parseOrigins } from './access/origin-list.ts'
import { createOriginPolicy, type OriginPolicy } from './access/origin-policy.ts'
import type { Authorize, User } from './access/question.ts'
import type { RequestRates } from './limits/request-limits.ts'
import type { BacklogLimits } from './backlog.ts'
import type { FeatureFactory, ServerErrorListener } from './feature.ts'

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
  trustProxy?: number
  /**
   * Origins whose pages may connect beside the server's own: a list, e.g. `['https://app.example']`, or one of them. Cookies
   * count for these pages as for the server's own, so list only origins that you trust with the sessions of your users. `'*'`
   * lets the pages of all origins connect, without cookies. Default: none (X1).
   */
  origins?: readonly string[] | string
  /** What else the server can do. Default: nothing. */
  features?: readonly FeatureFactory[]
  /** Subscriptions of one connection at most, keys and channels together. Default 10,000 (X5). */
  maxSubscriptions?: number
  /** Keys that one message may name. Default 1,000. */
  maxKeysPerMessage?: number
  /**
   * Changes of state that one user may ask for on this instance in a second, and as many at once after a pause; one
   * connection, where nobody is signed in. Default 500 (X5).
   */
  mutationsPerSecond?: number
  /** The same for events that are published. Default 500 (X5). */
  eventsPerSecond?: number
  /**
   * The same for requests of any kind. A connection is closed when as many were refused in a second. Default 2,000 (X5).
   */
  requestsPerSecond?: number
  /** Requests of one connection that wait for their reply. Default 1,000 (X5). */
  maxRequestsUnderWay?: number
  /** Connections of one address, as `trustProxy` says; IPv6 counts by /64. Default 10,000 (X5). */
  maxConnectionsPerAddress?: number
  /** Tries of one address to connect in a second, whatever becomes of them; IPv6 counts by /64. Default 200 (X5). */
  connectsPerSecondPerAddress?: number
  /** Packets that may wait for a connection to read. Past it, it is sent no changes of state until it reads, then the newest. Default 64 (C4). */
  maxBacklogPackets?: number
  /** Bytes that may wait so; past as much again of events and replies it is closed. Default 1,048,576 (C4). */
  maxBacklogBytes?: number
  /** How long it takes to compare all keys that are watched here with the store once, milliseconds. Default 30,000; 0: never (S4). */
  auditIntervalMs?: number
  /** How long `close()` takes at most, milliseconds; pending replies get three quarters of it. Default 5,000 (C5). */
  drainMs?: number
  /** How long clients that are told to go elsewhere wait before they come back, milliseconds. Default 0 (C5). */
  reconnectAfterMs?: number
  /** Hears of failures that no caller awaits. Default: they are dropped. */
  onError?: ServerErrorListener
  /**
   * Hears of refused sign-ins and rights, of rights that were taken away and of connections that were closed: for logs. Each
   * record is `{ at, user, address, action, target, code }` (X7). Default: nobody does.
   */
  onAudit?: AuditListener
  /** `onAudit` also hears of all that was allowed: a record for each request. Default false. */
  auditAllowed?: boolean
  /** Hears that there is no sync between instances (F5), or no `authorize` in production (X2). Default: `process.emitWarning`. */
  onWarning?: (message: string) => void
}

const DEFAULTS = {
  ...DEFAULT_RATES,
  auditIntervalMs: 30_000,
  maxBacklogPackets: MAX_BACKLOG_PACKETS,
  maxBacklogBytes: MAX_BACKLOG_BYTES,
  drainMs: 5_000,
  reconnectAfterMs: 0,
  trustProxy: 0,
  maxSubscriptions: DEFAULT_LIMITS.maxSubscriptions,
  maxKeysPerMessage: DEFAULT_LIMITS.maxKeysPerMessage,
}

/** The longest that a timer can wait, milliseconds; enough for every other number here. */
const MOST = 2 ** 31 - 1

/** Options as the server uses them. */
export interface CheckedOptions {
  limits: Limits
  rates: RequestRates
  maxConnectionsPerAddress: number
  connectsPerSecondPerAddress: number
  backlog: BacklogLimits
  auditIntervalMs: number
  drainMs: number
  reconnectAfterMs: number
  trustProxy: number
  origins: OriginPolicy
}

/** The options with their defaults, or throws `INVALID_OPTIONS`. */
export function checkOptions<U extends User>(options: RealtimeServerOptions<U>): CheckedOptions {
  const number = (name: keyof typeof DEFAULTS, least: number): number => {
    const value = options[name] ?? DEFAULTS[name]
    if (Number.isSafeInteger(value) && value >= least && value <= MOST) return value
    throw new RealtimeError('INVALID_OPTIONS', { message: `${name} must be a whole number from ${least} to ${MOST}.` })
  }
  const trustProxy = number('trustProxy', 0)
  return {
    limits: {
      // What Socket.IO will let through is what clients are told.
      maxPayloadBytes: options.io.engine?.opts.maxHttpBufferSize ?? DEFAULT_LIMITS.maxPayloadBytes,
      maxKeysPerMessage: number('maxKeysPerMessage', 1),
      maxSubscriptions: number('maxSubscriptions', 1),
    },
    rates: {
      mutationsPerSecond: number('mutationsPerSecond', 1),
      eventsPerSecond: number('eventsPerSecond', 1),
      requestsPerSecond: number('requestsPerSecond', 1),
      maxRequestsUnderWay: number('maxRequestsUnderWay', 1),
    },
    maxConnectionsPerAddress: number('maxConnectionsPerAddress', 1),
    connectsPerSecondPerAddress: number('connectsPerSecondPerAddress', 1),
    backlog: { maxPackets: number('maxBacklogPackets', 1), maxBytes: number('maxBacklogBytes', 1) },
    auditIntervalMs: number('auditIntervalMs', 0),
    drainMs: number('drainMs', 0),
    reconnectAfterMs: number('reconnectAfterMs', 0),
    trustProxy,
    origins: createOriginPolicy(parseOrigins(options.origins), trustProxy),
  }
}
