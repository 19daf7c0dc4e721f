import type { JsonValue } from '@tutti/protocol'
import type { Locks } from './locks/lock-contract.ts'

export type {
  LockAcquired,
  LockGuard,
  LockGuardOptions,
  LockHolder,
  LockListener,
  LockRequest,
  Locks,
  LocksView,
  LockTarget,
} from './locks/lock-contract.ts'

/** A member of a room, as observers see it. Never changed: an update makes a new object. */
export interface Member {
  /** Public id, kept through reconnects. A client with a `clientId` has the same one at each join of the room. */
  readonly id: string
  /** Id of the signed-in user; '' for anonymous. */
  readonly user: string
  /** Absent where the member has none. */
  readonly info?: JsonValue
  /** The JSON text of `info`: can be sent as it is. */
  readonly infoJson?: string
}

/** A client that joins. The same user and `clientId` is the same member, on any instance and connection. */
export interface MemberIdentity {
  /** Id of the signed-in user; '' for anonymous. */
  readonly user: string
  /** Without it, the connection is the member, which leaves at `disconnect`. */
  readonly clientId?: string | undefined
  /** Grows with each connection of the client: a join with a smaller one than the member's arrives late, and is `CLOSED`. */
  readonly sequence?: number | undefined
  /** Unique in the cluster and never used again. Names the member in `update`, `leave` and `disconnect`. */
  readonly connectionId: string
}

/** What a join made. The same id for a member that reconnects. */
export interface Joined {
  readonly id: string
  /** False where the room is full and counts further members without listing them (`overflow: 'count'`). */
  readonly isListed: boolean
}

/** A difference between two states of a room. A member is in one of the lists at most. */
export interface MembersChange {
  readonly joined: readonly Member[]
  readonly updated: readonly Member[]
  /** Ids. */
  readonly left: readonly string[]
  /** All members after the change, those that are not listed included. */
  readonly count: number
}

/** Newest cursors by the members' ids. */
export type Cursors = Readonly<Record<string, JsonValue>>

/** Listeners of a view. They are called synchronously and must not block. */
export interface ViewListener {
  /** Called for each change after `ready`, in the order of the room's versions. */
  onChange?: ((change: MembersChange) => void) | undefined
  /** Called for the cursors that any instance publishes, this one included. */
  onCursors?: ((cursors: Cursors) => void) | undefined
}

/** What this instance knows of a room's members. */
export interface MembersView {
  /**
   * Settles when the room has been read, which happens for the first view of it here; from then on the view follows what is
   * announced. Rejects as `join` does, and the view is then closed. Never becomes an unhandled rejection. A change that
   * arrives at that moment may be in `members` and be notified too.
   */
  readonly ready: Promise<void>
  /** By id, in the order in which they joined. Live: copy it to keep it. */
  readonly members: ReadonlyMap<string, Member>
  /** All members, those that are not listed included. */
  readonly count: number
  /**
   * How long members that were present before may still be missing, milliseconds: Redis is unavailable, or has lost data that other
   * instances are about to write again. 0 otherwise.
   */
  readonly settlingMs: number
  /** Newest cursors of the members, by id, as far as they have arrived. */
  readonly cursors: ReadonlyMap<string, JsonValue>
  /** Ends the view. Idempotent. */
  close(): void
}

/**
 * The presence of one room. Versions, messages and records are internal: a missed message delays a change, and never loses one.
 *
 * Errors of `join`, `update` and `leave`, by code: `UNAVAILABLE` (not applied), `OUTCOME_UNKNOWN` (perhaps applied; the same
 * call again is harmless, so it is `retryable`), `CLOSED`. `join` also has `ROOM_FULL`, and is `CLOSED` and `retryable` where
 * another connection of the client has continued the member meanwhile.
 */
export interface Members {
  readonly room: string
  /**
   * Opens a view of the room. This instance follows the room while it has views or members of it; all its views share one
   * subscription and one copy.
   */
  observe(listener?: ViewListener): MembersView
  /**
   * Makes the client a member, or continues its membership: `id` is kept, `info` replaced. A join of an earlier connection
   * of this client that is still open is superseded: its `update`, `leave` and `disconnect` then change nothing. Resolves
   * when an open view of this instance contains the member.
   */
  join(identity: MemberIdentity, info?: JsonValue): Promise<Joined>
  /** Replaces the info of the connection's member. Changes nothing if the connection is no member here. */
  update(connectionId: string, info: JsonValue | undefined): Promise<void>
  /** Ends the membership now. Changes nothing if the connection is no member here. */
  leave(connectionId: string): Promise<void>
  /**
   * The connection is closed: the member leaves after `graceMs`, unless the client joins again on any instance; without a
   * `clientId` it leaves now. Failures are repeated here. Changes nothing if the connection is no member here.
   */
  disconnect(connectionId: string): void
  /**
   * Passes the newest cursors of members of this instance to all views in the cluster; those of this instance receive
   * them before it returns. Volatile: nothing is stored, and a lost message is not repeated. Cursors of other ids are dropped.
   * The caller limits the rate.
   */
  publishCursors(cursors: Cursors): void
}

/** State of the lease. `registering`: not yet, or again after a loss. `live`: others count on this instance. */
export type LeaseState = 'registering' | 'live' | 'closed'

/** This instance, as the cluster sees it. */
export interface InstanceLease {
  /** `<instanceId>.<n>`; `n` grows with each registration. */
  readonly id: string
  readonly state: LeaseState
  /** Ids of the instances with a live lease, this one included, as of the last heartbeat. */
  readonly live: ReadonlySet<string>
  /** Settles at the first registration; rejects with `CLOSED`. Never becomes an unhandled rejection. */
  readonly ready: Promise<void>
  /** Runs the listener when the lease had ended without `close`. The members of this instance are written again without it. */
  onLost(listener: () => void): () => void
}

/** A command of one instance to all of them. */
export interface ReceivedCommand {
  readonly text: string
  /** How long ago it was sent, milliseconds, by the clock of the store. Rather more than less. */
  readonly ageMs: number
  /** Its caller may not wait for this instance any more. */
  readonly isLate: boolean
}

/** What the instances made of a command. */
export interface CommandReplies {
  /** Texts by instance. */
  readonly replies: ReadonlyMap<string, string>
  /** Ids of the instances that did not reply in time, or failed. They may still apply the command. */
  readonly missing: readonly string[]
}

/** How a command is sent. */
export interface CommandOptions {
  /** How long the call waits for replies, milliseconds. */
  timeoutMs: number
  /** False: no instance replies, and the call resolves when the store has the command. */
  confirm: boolean
}

/** Commands to all instances of the cluster, this one included. All instances receive them in the same order. */
export interface Commands {
  /** Settles when this instance receives commands and replies. Never becomes an unhandled rejection. */
  readonly ready: Promise<void>
  /**
   * Resolves when every instance with a live lease has replied, after `timeoutMs` at the latest. Commands of one caller are received in
   * the order of the calls.
   *
   * @throws {RealtimeError} `UNAVAILABLE` (not sent), `OUTCOME_UNKNOWN` (perhaps sent), `CLOSED`.
   */
  send(text: string, options: CommandOptions): Promise<CommandReplies>
  /**
   * Receives the commands. Its result is the reply; `null` means that the command was not applied, and this instance is then
   * reported as missing. One handler at a time. Returns a function that removes it.
   */
  handle(handler: (command: ReceivedCommand) => string | null | Promise<string | null>): () => void
}

/**
 * Work that this instance has begun, by name, and that another instance continues if this one dies or closes before it has ended. The
 * work of a name may run more often than necessary, and never too rarely.
 */
export interface Handover {
  /**
   * Lists the work as begun. Settles when the cluster knows it; at once for a name that is listed already.
   *
   * @throws {RealtimeError} `UNAVAILABLE`, `OUTCOME_UNKNOWN`, `CLOSED`.
   */
  begin(name: string): Promise<void>
  /** The work has ended, unless `isOpen` at that moment. A failure leaves it listed. */
  end(name: string, isOpen: () => boolean): void
  /** Runs the listener for work of an instance that is gone, on one instance that has a listener. It is listed here then. */
  onTaken(listener: (name: string) => void): () => void
}

/**
 * The storage layer for leases: instances, the members of rooms and locks, across all instances of a cluster. `server` meets it
 * through these types alone. Implementations MUST pass the suite at `coordination/testing`.
 */
export interface Coordination {
  readonly instance: InstanceLease
  readonly commands: Commands
  /**
   * The presence of a room. Makes no request. Rooms of features begin with `$`.
   *
   * @throws {RealtimeError} `INVALID_ROOM`, `CLOSED`.
   */
  members(room: string): Members
  /** Locks on keys. */
  readonly locks: Locks
  /** Work that others continue. */
  readonly handover: Handover
  /**
   * Runs the listener when the first member joined a room, on one instance of the cluster: the one where it joined. At most
   * once for each opening; not called when members are written again after a loss of data.
   */
  onRoomOpen(listener: (room: string) => void): () => void
  /** Runs the listener when the last member left a room, on one instance of the cluster. At most once for each end. */
  onRoomEmpty(listener: (room: string) => void): () => void
  /**
   * Ends the lease and all views; idempotent. Members stay for `graceMs`, so that they can continue on another instance.
   * The caller's link stays open. Afterwards `CLOSED`.
   */
  close(): Promise<void>
}
