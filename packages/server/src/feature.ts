import type { Coordination } from '@tutti/coordination/contract'
import type { PubSub } from '@tutti/pubsub'
import type { Limits, RealtimeSchema } from '@tutti/protocol'
import type { AccessControl } from './authorization/access-control.ts'
import type { AuditTrail } from './authorization/audit-log.ts'
import type { Verdict } from './authorization/authorization-cache.ts'
import type { Access } from './authorization/authorize.ts'
import type { BacklogLimits } from './connection/backpressure.ts'
import type { Connection } from './connection/connection.ts'
import type { FanOut } from './connection/fan-out.ts'
import type { Handler } from './connection/handler.ts'
import type { RequestLimits } from './connection/request-limits.ts'

/**
 * Where a background failure happened: the second argument of `onError`.
 *
 * - `authenticate`: it threw an error, or returned an invalid user.
 * - `authorize`: it threw an error during a delivery or a revocation.
 * - `handler`: a request failed with an internal error.
 * - `watch`: a change of state could not be delivered, or a subscription of server code ended.
 * - `relay`: a message of another instance could not be processed.
 * - `listener`: a callback of the application threw an error.
 * - `slowConsumer`: a connection was closed because it did not read.
 * - `flood`: a connection was closed because it continued to send requests beyond a rate limit.
 * - `presence`: a room could not be read or written, or a lease was not renewed.
 * - `rooms`: a command to the connections of rooms failed on this instance.
 * - `document`: a document could not be read, or not stored.
 * - `durable`: the log of a durable channel could not be read, or its workers could not take records.
 * - `locks`: a lock was not ended.
 * - `close`: a part of the server failed to close.
 */
export interface ServerErrorContext {
  stage:
    | 'authenticate'
    | 'authorize'
    | 'handler'
    | 'watch'
    | 'relay'
    | 'listener'
    | 'slowConsumer'
    | 'flood'
    | 'presence'
    | 'rooms'
    | 'document'
    | 'locks'
    | 'durable'
    | 'close'
  /** The message, key or channel it concerns. */
  subject?: string | undefined
}

/** Receives failures that no caller awaits. */
export type ServerErrorListener = (error: unknown, context: ServerErrorContext) => void

/** What the core gives to each feature. */
export interface Core {
  readonly instanceId: string
  readonly limits: Limits
  readonly fanOut: FanOut
  readonly access: AccessControl
  readonly audit: AuditTrail
  readonly requests: RequestLimits
  readonly backlog: BacklogLimits
  /** What values and event data look like. */
  readonly schema: RealtimeSchema
  /** The relay to other instances; absent on a single one. */
  readonly pubsub: PubSub | undefined
  /** Members of rooms, on all instances; absent where no feature needs it. */
  readonly coordination: Coordination | undefined
  readonly onError: ServerErrorListener
}

/**
 * A part of what the server can do: the messages it answers, and what it does when connections come and go. State and
 * events are features too; the core knows none by name.
 */
export interface Feature {
  readonly name: string
  readonly handlers: readonly Handler[]
  /** A connection is there; called before its first message. */
  onConnect?(connection: Connection): void
  /** A connection has too many unread packets: state updates are deferred until `backlog.afterDrain`. */
  onSlow?(connection: Connection): void
  /** A connection is gone; called once. */
  onDisconnect?(connection: Connection): void
  /** What the connection holds here by a right: its running subscriptions, say. */
  holds?(connection: Connection): Iterable<Access>
  /** What server code gave to the connection. A revocation ends it, and it is never authorized again. */
  given?(connection: Connection): Iterable<Access>
  /**
   * The verdict on a running access has changed: continues with all of it or with each name of it, or ends it at once. The core
   * notifies the client of an end.
   */
  apply?(connection: Connection, access: Access, verdict: Verdict): void
  /** Releases the resources of the feature; called once, after the last reply. */
  close?(): Promise<void>
}

/** What makes the feature of documents: `createDocuments` of `@tutti/documents/server`. */
export interface DocumentsOption {
  feature(core: Core): Feature
}

/** Makes a feature for one server: `features: [presence(…), locks(…)]`. */
export type FeatureFactory = (core: Core) => Feature
