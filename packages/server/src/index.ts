export type { ActAsOptions, UserRealtime } from './as-user/user-access.ts'
export type { Authenticate, Credentials } from './authentication/authenticate.ts'
export type { HttpRequest } from './authentication/authenticate-request.ts'
export type { AuditListener, AuditRecord } from './authorization/audit-log.ts'
export type { Action, Authorize, AuthorizeRequest, Decision, User } from './authorization/authorize.ts'
export type { Revocation } from './authorization/revocations.ts'
export {
  rules,
  type DocumentRules,
  type EventRules,
  type LockRule,
  type LockRules,
  type PresenceRules,
  type RoomRule,
  type RoomRules,
  type Rule,
  type StateRules,
} from './authorization/rules.ts'
export { createRealtimeServer, type RealtimeServer } from './create-realtime-server.ts'
export type { ServerEvent, ServerEvents, ServerPublishOptions } from './events/server-events.ts'
export type { ServerErrorContext, ServerErrorListener } from './feature.ts'
export type { BackpressureOptions, LimitOptions, ShutdownOptions } from './option-groups.ts'
export type { RealtimeServerOptions } from './options.ts'
export type { DurableOptions } from './durable/durable-options.ts'
export type { ServerWorkers } from './durable/server-workers.ts'
export type { RealtimeCounts } from './realtime-counts.ts'
export type { LockOptions, RequiredLock } from './locks/lock-options.ts'
export type { PresenceOptions } from './presence/presence-options.ts'
export type { ServerPresence } from './presence/server-presence.ts'
export type { ServerState } from './state/server-state.ts'
export type { SubscriptionOptions } from './subscription-options.ts'
export type { RoomTarget, TargetedConnections } from './rooms/room-target.ts'
export type { RoomsOptions } from './rooms/rooms-options.ts'
export type * from './rooms/rooms-contract.ts'
