import { callback, oneOf, wholeNumber, type OptionRows, type Settings } from '@tutti/protocol/internal'

/** Where a background failure happened, and the room that it concerns. */
export interface CoordinationErrorContext {
  /**
   * `heartbeat`: the lease was not renewed; `sweep`: records of a dead instance were not removed; `members`: a room was not
   * read or written; `locks`: a lock was not ended; `message`: a message was dropped; `command`: a command failed here; `listener`: a
   * listener threw.
   */
  stage: 'heartbeat' | 'sweep' | 'members' | 'locks' | 'message' | 'command' | 'listener'
  room?: string
}

/** Options of every `Coordination`. */
export interface CoordinationOptions {
  /** How long a member without a connection stays, milliseconds. @default 4000 */
  graceMs?: number | undefined
  /** Members of a room with their info. @default 1000 */
  maxMembers?: number | undefined
  /** A join past `maxMembers` is refused with `ROOM_FULL`, or counted without being listed. @default 'refuse' */
  overflow?: 'refuse' | 'count' | undefined
  /** Receives failures that no caller awaits. @default console.error */
  onError?: ((error: unknown, context: CoordinationErrorContext) => void) | undefined
}

/** The rows of the options of every `Coordination`. */
export const COORDINATION_OPTIONS = {
  graceMs: wholeNumber(1, 4_000),
  maxMembers: wholeNumber(1, 1_000),
  overflow: oneOf(['refuse', 'count'], 'refuse'),
  onError: callback(undefined),
} satisfies OptionRows<CoordinationOptions>

/** The options with every default filled in. */
export interface CoordinationSettings extends Omit<Settings<CoordinationOptions, typeof COORDINATION_OPTIONS>, 'onError'> {
  /** Never throws. */
  onError: (error: unknown, context: CoordinationErrorContext) => void
}

/** Options of `createRedisCoordination`. Lease times have the same values on all instances of a cluster. */
export interface RedisCoordinationOptions extends CoordinationOptions {
  /** Unique in the cluster: `pubsub.instanceId`. */
  instanceId: string
  /** Milliseconds between two renewals of the lease. @default 1000 */
  heartbeatMs?: number | undefined
  /** How long a lease lasts without a renewal, milliseconds; at least three times `heartbeatMs`. @default 4000 */
  leaseMs?: number | undefined
  /** How long an empty room keeps its version, and a lock that has ended its token, milliseconds. @default 86400000 */
  tombstoneMs?: number | undefined
  /** The `base` of the state's store: locks are stored beside its values. @default 'tutti' */
  base?: string | undefined
}
