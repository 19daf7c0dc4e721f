import type { JsonValue } from '@tutti/protocol'
import type { RoomTarget, TargetedConnections } from './room-target.ts'

/** What the instances made of a call. */
export interface RoomsReply<Result> {
  readonly results: readonly Result[]
  /** Ids of the instances that did not respond in time. They may still apply the call, but not a message after `timeoutMs`. */
  readonly missing: readonly string[]
}

/** The beginning of a list. */
export interface RoomsList<Result> extends RoomsReply<Result> {
  /** The length of the whole list. For `list` it is a lower bound if one instance has more than `rooms.maxResults` rooms. */
  readonly count: number
}

/** What one instance made of a call. */
export interface InstanceResult {
  readonly instance: string
  /** The number of connections that the call applied to. */
  readonly connections: number
}

/** A connection in a room. */
export interface RoomConnection {
  readonly id: string
  /** Id of the user; '' without one. */
  readonly user: string
  /** The client's own id. It proves nothing. */
  readonly clientId?: string | undefined
  readonly instance: string
}

/** A room and its connections. */
export interface RoomSummary {
  readonly room: string
  readonly connections: number
}

/** How a call is made. */
export interface RoomCallOptions {
  /** How long the call waits for the other instances, milliseconds. Without it, `rooms.timeoutMs` of the server. */
  timeoutMs?: number | undefined
  /** False: resolves when Redis has the command, without results. @default true */
  confirm?: boolean | undefined
}

/** How a message is sent. */
export interface RoomSendOptions extends RoomCallOptions {
  /** Connections that do not receive it. Without it, there are none. */
  except?: TargetedConnections | readonly TargetedConnections[] | undefined
}

/** Sends to some connections. */
export interface RoomRecipient {
  /** @throws {RealtimeError} `INVALID_VALUE`, and as the calls of `rooms` do. */
  send(name: string, data: JsonValue, options?: RoomSendOptions): Promise<RoomsReply<InstanceResult>>
}

type Names = string | readonly string[]

/**
 * The connections of the cluster, by rooms. A call resolves when every instance has applied it, or after `timeoutMs`. Calls of one process
 * are applied in their order, awaited or not. Calls reject with `INVALID_ROOM`, `INVALID_OPTIONS`, `UNAVAILABLE` (not applied),
 * `OUTCOME_UNKNOWN`, `CLOSED`, never because an instance did not respond.
 */
export interface ServerRooms {
  /** Adds connections to rooms. `{ room: 'a' }` adds those of one room to others. */
  join(target: RoomTarget, rooms: Names, options?: RoomCallOptions): Promise<RoomsReply<InstanceResult>>
  /** Removes connections from rooms, and from their presence. */
  leave(target: RoomTarget, rooms: Names, options?: RoomCallOptions): Promise<RoomsReply<InstanceResult>>
  /** `leave` and `join` in one. */
  move(target: RoomTarget, from: Names, to: Names, options?: RoomCallOptions): Promise<RoomsReply<InstanceResult>>
  /** Sends a message to rooms, to each connection once. */
  broadcast(rooms: Names, name: string, data: JsonValue, options?: RoomSendOptions): Promise<RoomsReply<InstanceResult>>
  /** Closes connections. Their clients connect again, unless `authenticate` refuses them. */
  disconnect(target: RoomTarget, options?: RoomCallOptions): Promise<RoomsReply<InstanceResult>>
  /** The connections of a room, up to `rooms.maxResults`. */
  connections(room: string, options?: Pick<RoomCallOptions, 'timeoutMs'>): Promise<RoomsList<RoomConnection>>
  /** The rooms of one connection. */
  of(connection: string, options?: Pick<RoomCallOptions, 'timeoutMs'>): Promise<RoomsList<string>>
  /** The rooms that have connections and whose names begin with `prefix`, up to `rooms.maxResults`. */
  list(prefix?: string, options?: Pick<RoomCallOptions, 'timeoutMs'>): Promise<RoomsList<RoomSummary>>
}

/** Everything that server code sends to connections. */
export interface RoomCalls {
  readonly rooms: ServerRooms
  /** Sends a message to all connections. */
  broadcast: RoomRecipient['send']
  /**
   * All connections of a user.
   *
   * @throws {RealtimeError} `INVALID_OPTIONS` for an empty id: it would be every connection without a user.
   */
  user(id: string): RoomRecipient
  /** One connection. */
  connection(id: string): RoomRecipient
}
