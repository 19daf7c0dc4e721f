import type { RealtimeSchema } from '@tutti/protocol'
import {
  anything,
  callback,
  flag,
  parseOptions,
  required,
  wholeNumber,
  withMethods,
  type OptionRows,
  type Settings,
} from '@tutti/protocol/internal'
import type { Coordination } from '@tutti/coordination/contract'
import type { PubSub } from '@tutti/pubsub'
import type { StateStore } from '@tutti/storage-driver/contract'
import type { Server } from 'socket.io'
import type { AuditListener } from './authorization/audit-log.ts'
import type { Authenticate } from './authentication/authenticate.ts'
import type { Authorize, User } from './authorization/authorize.ts'
import type { DocumentsOption, FeatureFactory, ServerErrorListener } from './feature.ts'
import { DURABLE, type DurableOptions } from './durable/durable-options.ts'
import {
  group,
  parseBackpressure,
  parseLimits,
  parseShutdown,
  RENAMED,
  type BackpressureOptions,
  type LimitOptions,
  type ShutdownOptions,
} from './option-groups.ts'
import { LOCKS, type LockOptions } from './locks/lock-options.ts'
import { PRESENCE, type PresenceOptions } from './presence/presence-options.ts'
import { ROOMS, type RoomsOptions } from './rooms/rooms-options.ts'

/** Options of `createRealtimeServer`. */
export interface RealtimeServerOptions<U extends User = User> {
  /** The Socket.IO server. Messages use its default namespace. The caller closes it. */
  io: Server
  /** The store of the state: `reactiveRedisDriver(…)` or `reactiveDriver(…)`. `close()` disposes of it. */
  state: StateStore
  /** Notifies the other instances. Without it, the server is a single instance and warns once. `close()` disposes of it. */
  pubsub?: PubSub | undefined
  /** Identifies the connecting user, or refuses the connection. Without it, every client may connect, without a user. */
  authenticate?: Authenticate<U> | undefined
  /** Decides what a user may read, write, subscribe to and publish. Without it, everything is allowed. */
  authorize?: Authorize<U> | undefined
  /** The schemas of values and event data: `defineSchema({ state, events })` of `@tutti/protocol`. Without it, any JSON is valid. */
  schema?: RealtimeSchema | undefined
  /**
   * The number of own proxies in front of the server. Each appends to `X-Forwarded-For` (or `Forwarded`); the entry of the
   * outermost one is the client's address. With 0 it is the address of the socket.
   *
   * @default 0
   */
  trustProxy?: number | undefined
  /**
   * Origins whose pages may connect, in addition to the server's own: a list, e.g. `['https://app.example']`, or one origin.
   * Cookies are accepted from these pages, so list only origins that you trust with the sessions of your users. `'*'` allows all
   * origins, without cookies. Without it, only the server's own pages connect.
   */
  origins?: readonly string[] | string | undefined
  /**
   * Leases and the members of rooms: `createRedisCoordination(pubsub.link, …)` or `createMemoryCoordination()`. `close()` closes
   * it. `attachRealtime` creates it, except with a `pubsub` that is not a `RealtimePubSub`. Without it, presence and rooms are off.
   */
  coordination?: Coordination | undefined
  /** Presence of users in rooms. `false` switches it off. Without it, each of its options has its default. */
  presence?: PresenceOptions | false | undefined
  /** Rooms of connections, and messages to them. `false` switches them off. Without it, each of its options has its default. */
  rooms?: RoomsOptions | false | undefined
  /** Locks on keys, with fencing tokens. `false` switches them off. They need the `coordination` too. Without it, each of its options has its default. */
  locks?: LockOptions | false | undefined
  /**
   * Channels with a log, by channel or pattern: `{ 'chat:*': {}, 'jobs:*': { groups: ['mail'] } }`. `attachRealtime` creates the logs
   * on Redis, or in memory without a `pubsub`. Otherwise a row is `Logs`, for example of `createRedisLogs`. Without it, no channel has
   * a log.
   */
  durable?: DurableOptions | undefined
  /** Collaborative documents: the result of `createDocuments` of `@tutti/documents/server`. Without it, there are none. */
  documents?: DocumentsOption | undefined
  /** Limits of users, connections and addresses. Without it, each has its default. */
  limits?: LimitOptions | undefined
  /** How much data may be unsent for a connection that reads slowly. Without it, each limit has its default. */
  backpressure?: BackpressureOptions | undefined
  /** The end of this instance. Without it, each time has its default. */
  shutdown?: ShutdownOptions | undefined
  /**
   * The period, in milliseconds, in which all subscribed keys and prefixes are compared with the store. This repairs changes
   * that were not announced. 0: never.
   *
   * @default 30_000
   */
  reconcileIntervalMs?: number | undefined
  /**
   * WebSocket frames are written to the TCP socket directly, if the internals of Socket.IO are as expected. False: all packets
   * pass through Socket.IO, for libraries that observe it.
   *
   * @default true
   */
  directFrames?: boolean | undefined
  /**
   * Each connection keeps its HTTP request, for applications that read `socket.request` later, for example the session of a
   * middleware. Otherwise `socket.request` has only `headers`, `url` and `method` a second after the `connection` listeners have
   * run, which saves 3 kB per connection.
   *
   * @default true on a Socket.IO server of the caller, false with `attachRealtime`
   */
  keepRequests?: boolean | undefined
  /**
   * Called with failures that no caller awaits.
   *
   * @default console.error
   */
  onError?: ServerErrorListener | undefined
  /** Called with an audit record of each refusal, revocation and connection that the server closed. Without it, none are made. */
  onAudit?: AuditListener | undefined
  /**
   * `onAudit` also receives a record of each allowed request.
   *
   * @default false
   */
  auditAllowed?: boolean | undefined
  /**
   * Called once if there is no `pubsub`, once if presence, rooms or locks have no `coordination`, and once if there is no
   * `authorize` in production.
   *
   * @default process.emitWarning
   */
  onWarning?: ((message: string) => void) | undefined
}

/**
 * Options that are not public yet.
 *
 * @internal
 */
export interface InternalServerOptions<U extends User = User> extends RealtimeServerOptions<U> {
  /** Additional features. */
  features?: readonly FeatureFactory[] | undefined
}

const [, isStore] = withMethods(['read', 'write', 'list', 'onChange', 'onGap', 'dispose'], undefined)
const NO_SCHEMA: RealtimeSchema = {}
const NO_FEATURES: readonly FeatureFactory[] = []
const warn = (message: string): void => process.emitWarning(message, 'TuttiWarning')

/** The options, without the Socket.IO server. */
export const SERVER_OPTIONS = {
  state: required(['a store: `reactiveDriver(…)` or `reactiveRedisDriver(…)` of @tutti/storage-driver', isStore, undefined]),
  pubsub: withMethods(['publish', 'subscribe', 'onGap', 'dispose'], undefined),
  authenticate: callback(undefined),
  authorize: callback(undefined),
  schema: ['the result of `defineSchema`', (value) => typeof value === 'object' && value !== null, NO_SCHEMA],
  trustProxy: wholeNumber(0, 0),
  origins: anything, // `parseOrigins` names the invalid entry.
  coordination: withMethods(['members', 'onRoomOpen', 'onRoomEmpty', 'close'], undefined),
  presence: PRESENCE,
  rooms: ROOMS,
  locks: LOCKS,
  durable: DURABLE,
  documents: withMethods(['feature'], undefined),
  limits: group,
  backpressure: group,
  shutdown: group,
  reconcileIntervalMs: wholeNumber(0, 30_000),
  directFrames: flag(true),
  keepRequests: flag(undefined),
  onError: callback(undefined),
  onAudit: callback(undefined),
  auditAllowed: flag(false),
  onWarning: callback(warn),
  features: ['a list of functions', (value) => Array.isArray(value) && value.every((create) => typeof create === 'function'), NO_FEATURES],
} satisfies OptionRows<Omit<InternalServerOptions, 'io'>>

const WITH_IO = { ...SERVER_OPTIONS, io: required(withMethods(['use', 'on', 'of'], undefined)) } satisfies OptionRows<InternalServerOptions>

/** Options whose values are known to be valid, with their defaults. */
export type RealtimeServerSettings<U extends User = User> = Omit<
  Settings<InternalServerOptions<U>, typeof WITH_IO>,
  'limits' | 'backpressure' | 'shutdown'
> & {
  readonly limits: ReturnType<typeof parseLimits>
  readonly backpressure: ReturnType<typeof parseBackpressure>
  readonly shutdown: ReturnType<typeof parseShutdown>
}

/** Options of `createRealtimeServer`. Throws `INVALID_OPTIONS`. */
export function parseServerOptions<U extends User>(options: InternalServerOptions<U>): RealtimeServerSettings<U> {
  const owner = 'createRealtimeServer'
  const settings = parseOptions<InternalServerOptions<U>, typeof WITH_IO>(owner, WITH_IO, options, RENAMED)
  return {
    ...settings,
    limits: parseLimits(owner, settings.limits),
    backpressure: parseBackpressure(owner, settings.backpressure),
    shutdown: parseShutdown(owner, settings.shutdown),
  }
}
