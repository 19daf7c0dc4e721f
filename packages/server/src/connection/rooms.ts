import type { Connection } from './connection.ts'
import { listMembers, withMember, withoutMember, type Members } from './members.ts'

/** The rooms of one server, of connections with and without a socket alike. A room exists while it has members. */
export interface Rooms {
  /** No connection is in any room. */
  readonly isEmpty: boolean
  has(name: string): boolean
  join(name: string, connection: Connection): void
  leave(name: string, connection: Connection): void
  /** Leaves the room of its id and those that its subscriptions name. A feature that makes it join others leaves them. */
  leaveAll(connection: Connection): void
  /** The names of all rooms, without those of ids. */
  names(): string[]
  /** The ids of the connections that are in the room of their id. */
  ids(): string[]
  /** The members of any of the rooms, and the given ones, each once. */
  membersOf(rooms: readonly (string | Members)[]): readonly Connection[]
}

/** No id of a socket begins so. */
const isInternal = (name: string): boolean => name.startsWith('$')

/** Makes the rooms of one server. */
export function createRooms(): Rooms {
  const rooms = new Map<string, Members>()

  const leave = (name: string, connection: Connection): void => {
    const members = rooms.get(name)
    const rest = withoutMember(members, connection)
    if (rest === undefined) rooms.delete(name)
    else if (rest !== members) rooms.set(name, rest)
  }

  const inRoom = (room: string | Members): Members | undefined => (typeof room === 'string' ? rooms.get(room) : room)

  return {
    get isEmpty() {
      return rooms.size === 0
    },
    has: (name) => rooms.has(name),
    join: (name, connection) => {
      const members = rooms.get(name)
      const all = withMember(members, connection)
      if (all !== members) rooms.set(name, all)
    },
    leave,
    leaveAll: (connection) => {
      leave(connection.id, connection)
      for (const name of connection.subscriptions.all) leave(name, connection)
    },
    names: () => [...rooms.keys()].filter(isInternal),
    ids: () => [...rooms.keys()].filter((name) => !isInternal(name)),
    membersOf: (named) => {
      const [first, second] = named
      if (second === undefined) return listMembers(first === undefined ? first : inRoom(first))
      return [...new Set(named.flatMap((room) => listMembers(inRoom(room))))]
    },
  }
}
