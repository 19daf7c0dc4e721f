import type { Connection } from '../connection/connection.ts'
import { applicationRoom } from '../connection/subscription-names.ts'

/** By what a connection is in a room: a request of the client, server code, or being a member of the room's presence. */
export type JoinedBy = 'client' | 'server' | 'presence'

/** Which connections of this instance are in which rooms. Not stored: it ends with the connection. */
export interface RoomMemberships {
  /** Has no effect on a closed connection. */
  join(connection: Connection, room: string, by: JoinedBy): void
  /** The connection stays in the room where it is in it by something else. */
  leave(connection: Connection, room: string, by: JoinedBy): void
  /** Ends the membership, and returns by what it was. */
  remove(connection: Connection, room: string): ReadonlySet<JoinedBy>
  roomsOf(connection: Connection): readonly string[]
  /** The rooms in which the connection is by that. */
  joinedBy(connection: Connection, by: JoinedBy): readonly string[]
  /** The connection is closed. */
  disconnect(connection: Connection): void
}

const NONE: readonly string[] = []
const NOTHING: ReadonlySet<JoinedBy> = new Set()

/** Makes the memberships of one instance. */
export function createRoomMemberships(): RoomMemberships {
  const byConnection = new Map<Connection, Map<string, Set<JoinedBy>>>()

  const remove = (connection: Connection, room: string): ReadonlySet<JoinedBy> => {
    const rooms = byConnection.get(connection)
    const reasons = rooms?.get(room)
    if (rooms === undefined || reasons === undefined) return NOTHING
    rooms.delete(room)
    if (rooms.size === 0) byConnection.delete(connection)
    connection.subscriptions.delete(applicationRoom(room))
    connection.leave(applicationRoom(room))
    return reasons
  }

  return {
    join: (connection, room, by) => {
      if (!connection.connected) return
      const rooms = byConnection.get(connection) ?? new Map<string, Set<JoinedBy>>()
      byConnection.set(connection, rooms.set(room, (rooms.get(room) ?? new Set()).add(by)))
      connection.join(applicationRoom(room))
    },
    leave: (connection, room, by) => {
      const reasons = byConnection.get(connection)?.get(room)
      if (reasons?.delete(by) !== true) return
      if (by === 'client') connection.subscriptions.delete(applicationRoom(room))
      if (reasons.size === 0) remove(connection, room)
    },
    remove,
    roomsOf: (connection) => [...(byConnection.get(connection)?.keys() ?? NONE)],
    joinedBy: (connection, by) => [...(byConnection.get(connection) ?? [])].flatMap(([room, reasons]) => (reasons.has(by) ? [room] : NONE)),
    disconnect: (connection) => {
      for (const room of [...(byConnection.get(connection)?.keys() ?? NONE)]) remove(connection, room)
    },
  }
}
