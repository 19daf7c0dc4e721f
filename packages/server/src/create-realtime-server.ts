import { randomUUID } from 'node:crypto'
import type { Coordination } from '@tutti/coordination/contract'
import { DEFAULT_LIMITS, type Limits } from '@tutti/protocol'
import { safeErrorListener } from '@tutti/protocol/internal'
import { createAccessControl } from './authorization/access-control.ts'
import { createAuditTrail } from './authorization/audit-log.ts'
import { createAdmission } from './connection/admit-connection.ts'
import { authenticateRequest, originRequestOf, type HttpRequest } from './authentication/authenticate-request.ts'
import { parseOrigins } from './authentication/origin-list.ts'
import { createOriginPolicy } from './authentication/origin-policy.ts'
import type { User } from './authorization/authorize.ts'
import { Revocations, type Revocation } from './authorization/revocations.ts'
import { createCoordinatedFeatures } from './coordinated-features.ts'
import { createUserAccess, type ActAsOptions, type UserRealtime } from './as-user/user-access.ts'
import { checkIsFree, createConnectionManager } from './connection/connection-manager.ts'
import { createDurableLogs, type CreateLogs } from './durable/durable-options.ts'
import { createServerWorkers, type ServerWorkers } from './durable/server-workers.ts'
import { drain, type ClosablePart } from './shutdown.ts'
import { eventsFeature } from './events/events-feature.ts'
import type { ServerEvents } from './events/server-events.ts'
import { createFanOut } from './connection/fan-out.ts'
import type { Core, ServerErrorListener } from './feature.ts'
import { createRequestLimits } from './connection/request-limits.ts'
import { createRooms } from './connection/rooms.ts'
import { parseServerOptions, type RealtimeServerOptions, type RealtimeServerSettings } from './options.ts'
import { Counts, type RealtimeCounts } from './realtime-counts.ts'
import { parseRoomsOptions } from './rooms/rooms-options.ts'
import type { RoomCalls, ServerRooms } from './rooms/rooms-contract.ts'
import { parseLockOptions } from './locks/lock-options.ts'
import { createGuardOf, guardWithoutLocks } from './locks/write-guards.ts'
import { parsePresenceOptions, type PresenceSettings } from './presence/presence-options.ts'
import type { ServerPresence } from './presence/server-presence.ts'
import type { ServerState } from './state/server-state.ts'
import { warnAtStart } from './startup-warnings.ts'
import { stateFeature } from './state/state-feature.ts'
import { statusFeature } from './status-feature.ts'

/** One instance: answers clients, and lets server code take part. */
export interface RealtimeServer<U extends User = User> {
  /** A UUID; the id of this process among its peers. */
  readonly instanceId: string
  readonly state: ServerState
  readonly events: ServerEvents
  readonly presence: ServerPresence
  /** The connections of the cluster, by rooms. */
  readonly rooms: ServerRooms
  /** Sends a message to all connections of the cluster. */
  readonly broadcast: RoomCalls['broadcast']
  /**
   * Sends to all connections of a user.
   *
   * @throws {RealtimeError} `INVALID_OPTIONS` for an empty id.
   */
  readonly user: RoomCalls['user']
  /** Sends to one connection. */
  readonly connection: RoomCalls['connection']
  /** Processes the events of durable channels, each by one worker of the cluster at a time. Closed by `close()`. */
  readonly workers: ServerWorkers
  /**
   * State and events with the rights of one user, as if the user's own client had sent each request: the same `authorize`,
   * schemas and limits, and refusals with the same codes. Use it where the outcome is shown to the user: pages, APIs.
   *
   * `user` is what `authenticate` returns. Null is a client without a user: on a server with `authenticate` there is none, so
   * everything is refused with `UNAUTHENTICATED`.
   *
   * @throws {RealtimeError} `INVALID_OPTIONS` if `user` is neither a user nor null.
   *
   * @example
   * const { read, list } = realtime.as(await realtime.authenticate(request)).state
   */
  as(user: U | null, options?: ActAsOptions): UserRealtime
  /**
   * Identifies the user of an HTTP request (a `Request` or a Node request) by the application's `authenticate`, by cookie for
   * example; null without an `authenticate`.
   *
   * @throws {RealtimeError} the code with which a connection with these headers would be refused, such as `UNAUTHENTICATED`.
   */
  authenticate(request: HttpRequest): Promise<U | null>
  /**
   * Revokes rights of a user, cluster-wide: subscriptions of matching keys and channels end, their clients are notified, and
   * cached decisions are discarded. Change the result of `authorize` first.
   *
   * @throws {RealtimeError} `INVALID_CHANNEL` for an invalid pattern, `RELAY_FAILED` if other instances could not be notified.
   */
  revoke(revocation: Revocation): Promise<void>
  /**
   * Whether cookies count for an HTTP request: it comes from a page of the server's own origin or of one that `origins` lists, or
   * from no page. For routes of the application that act by a cookie, such as a sign-in form.
   */
  trustsOrigin(request: HttpRequest): boolean
  /** What happened so far. */
  readonly counts: RealtimeCounts
  /** Settles when changes and events of other instances are received; rejects if that can never happen. */
  readonly ready: Promise<void>
  /**
   * Drains: accepts no new connections, notifies clients to reconnect elsewhere, sends pending replies, then ends
   * connections, features, store and pubsub; all within `drainMs`. The Socket.IO server stays open. Idempotent.
   */
  close(): Promise<void>
}

/**
 * Puts realtime state and events on a Socket.IO server, which carries one at a time.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 *
 * @example
 * const realtime = createRealtimeServer({ io: new Server(httpServer), state: reactiveDriver(memoryDriver()) })
 */
export function createRealtimeServer<U extends User = User>(options: RealtimeServerOptions<U>): RealtimeServer<U> {
  return assembleRealtimeServer(parseServerOptions(options), { ownsSocketServer: false })
}

/** How much of the time of `close()` handlers of workers may take that still run. */
const WORKERS_SHARE = 0.2

/** What differs for a Socket.IO server of our own. */
interface Assembly {
  readonly ownsSocketServer: boolean
  /** Makes what presence and locks need, unless the application passes its own. `base`: that of the store on Redis. */
  readonly createCoordination?: (
    presence: PresenceSettings,
    base: string | undefined,
    onError: ServerErrorListener,
  ) => Coordination | undefined
  /** Makes the logs of durable channels whose limits the application passes. */
  readonly createLogs?: CreateLogs
}

/**
 * The same for a Socket.IO server of our own: then the check of origins guards the namespaces of the application too.
 *
 * @internal
 */
export function assembleRealtimeServer<U extends User>(
  settings: RealtimeServerSettings<U>,
  { ownsSocketServer, createCoordination = () => undefined, createLogs = () => undefined }: Assembly,
): RealtimeServer<U> {
  const { io, pubsub, state: store, authenticate, authorize, schema, trustProxy, onAudit, auditAllowed, onWarning } = settings
  const { backpressure, shutdown } = settings
  const presence = settings.presence === false ? undefined : parsePresenceOptions(settings.presence)
  const roomSettings = settings.rooms === false ? undefined : parseRoomsOptions(settings.rooms)
  const locks = settings.locks === false ? undefined : parseLockOptions(settings.locks)
  const origins = createOriginPolicy(parseOrigins(settings.origins), trustProxy)
  const limits: Limits = {
    // Clients receive the limit that Socket.IO enforces.
    maxPayloadBytes: io.engine?.opts.maxHttpBufferSize ?? DEFAULT_LIMITS.maxPayloadBytes,
    maxKeysPerMessage: settings.limits.maxKeysPerMessage,
    maxSubscriptions: settings.limits.maxSubscriptions,
  }
  const onError: ServerErrorListener = safeErrorListener(settings.onError)
  checkIsFree(io)
  const audit = createAuditTrail({ onAudit, auditAllowed, onError })
  const access = createAccessControl(authorize, audit)
  const rooms = createRooms()
  const isCoordinated = [presence, roomSettings, locks, settings.documents].some((feature) => feature !== undefined)
  const coordination =
    settings.coordination ?? (isCoordinated ? createCoordination(presence ?? parsePresenceOptions({}), store.base, onError) : undefined)
  const core: Core = {
    instanceId: pubsub?.instanceId ?? randomUUID(),
    limits,
    fanOut: createFanOut(rooms),
    access,
    audit,
    backlog: { maxPackets: backpressure.maxUnsentPackets, maxBytes: backpressure.maxUnsentBytes },
    schema,
    requests: createRequestLimits({
      ...settings.limits,
      presencePerSecond: presence?.updatesPerSecond ?? parsePresenceOptions({}).updatesPerSecond,
    }),
    pubsub,
    coordination,
    onError,
  }
  const guardOf = locks && coordination ? createGuardOf(coordination, locks.required) : guardWithoutLocks
  const state = stateFeature(core, store, settings.reconcileIntervalMs, guardOf)
  const logs = createDurableLogs(settings.durable, createLogs, onError)
  const events = eventsFeature(core, { logs, intervalMs: settings.reconcileIntervalMs })
  const coordinated = createCoordinatedFeatures({ core, rooms, coordination, settings: { presence, rooms: roomSettings, locks } })
  const more = settings.features.map((create) => create(core))
  const documents = settings.documents === undefined ? [] : [settings.documents.feature(core)]
  const features = [statusFeature(pubsub), state.feature, events.feature, ...coordinated.features, ...documents, ...more]
  const admission = createAdmission({
    authenticate,
    trustProxy,
    origins,
    maxConnectionsPerAddress: settings.limits.maxConnectionsPerAddress,
    connectsPerSecondPerAddress: settings.limits.connectsPerSecondPerAddress,
    entrances: access,
    audit,
  })
  const revocations = new Revocations(core, access, features)
  const counts = new Counts(() => (pubsub?.droppedMessages ?? 0) + (store.droppedMessages ?? 0))
  const connections = createConnectionManager({
    io,
    core,
    rooms,
    admission,
    features,
    counts,
    announced: [...[...coordinated.features, ...documents].map(({ name }) => name), ...(logs.rows.length > 0 ? ['durable'] : [])],
    guardsNamespaces: ownsSocketServer,
    directFrames: settings.directFrames,
    // An application with its own Socket.IO server may read sessions that middleware added to the request.
    keepRequests: settings.keepRequests ?? !ownsSocketServer,
  })
  const namesUsers = authenticate !== undefined
  const users = createUserAccess({ core, entrances: access, rooms, counts, namesUsers, state, events })
  warnAtStart({
    ...{ isAlone: pubsub === undefined, isUncoordinated: isCoordinated && !coordination, isOpen: authorize === undefined },
    ...{ onWarning, onError },
  })

  const ready = Promise.all([state.ready, events.ready, revocations.ready, coordinated.ready]).then(() => {})
  ready.catch(() => {}) // If the application does not await it, the failure is reported by `onError` of the pubsub.

  const workers = createServerWorkers((channels) => logs.rowOf(channels), onError)
  const parts: ClosablePart[] = [
    { name: 'the workers', close: () => workers.close(shutdown.drainMs * WORKERS_SHARE) },
    { name: 'revocations', close: async () => revocations.close() },
    ...features.map((feature) => ({ name: `the feature ${feature.name}`, close: () => feature.close?.() })),
    { name: 'the coordination', close: () => coordination?.close() },
    { name: 'the logs', close: () => logs.close() },
    { name: 'the store', close: () => store.dispose() },
    { name: 'the pubsub', close: () => pubsub?.dispose() },
  ]
  let closing: Promise<void> | undefined
  return {
    instanceId: core.instanceId,
    state: state.state,
    events: events.events,
    presence: coordinated.presence,
    ...coordinated.calls,
    revoke: (revocation) => revocations.revoke(revocation),
    trustsOrigin: (request) => origins.trusts(originRequestOf(request)),
    counts,
    ready,
    workers: workers.start,
    as: (user, actAs) => users.as(user, actAs),
    authenticate: (request) => authenticateRequest(request, { authenticate, trustProxy, origins, audit, onError }),
    close: () => {
      users.close()
      return (closing ??= drain({ connections, ...shutdown, parts, onError }))
    },
  }
}
