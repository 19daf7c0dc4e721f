import type { NoticeName } from '@tutti/protocol'
import type { Connection } from './connection.ts'
import type { Notice } from './notice.ts'

/** A connection as the rooms know it, with a socket or without. Its subscriptions name all rooms that it may be in, apart from those that features leave. */
export interface Member extends Connection {
  /** Sends the notice to this connection. */
  deliver(notice: Notice<NoticeName>): void
}

/** The rooms of one server. A room exists while it has members. */
export interface Rooms {
  /** No connection is in any room. */
  readonly isEmpty: boolean
  has(name: string): boolean
  join(name: string, member: Member): void
  leave(name: string, member: Member): void
  /** Leaves the room of its id and those of its subscriptions. A feature that makes it join others leaves them. */
  leaveAll(member: Member): void
  /** The names of all rooms, without those of ids. */
  names(): string[]
  /** The ids of the connections that are in the room of their id. */
  ids(): string[]
  /** The members of any of the rooms, each once. */
  membersOf(names: readonly string[]): readonly Member[]
}

/** Most rooms have one member, and need no set. */
type Members = Member | Set<Member>

const NONE: readonly Member[] = []

const listOf = (members: Members): readonly Member[] => (members instanceof Set ? [...members] : [members])

/** No id of a socket begins so. */
const isInternal = (name: string): boolean => name.startsWith('$')

/** Makes the rooms of one server: of connections with and without a socket alike. */
export function createRooms(): Rooms {
  const rooms = new Map<string, Members>()

  const leave = (name: string, member: Member): void => {
    const members = rooms.get(name)
    if (members instanceof Set) {
      members.delete(member)
      if (members.size > 1) return
      const [last] = members
      if (last !== undefined) rooms.set(name, last)
    } else if (members === member) rooms.delete(name)
  }

  return {
    get isEmpty() {
      return rooms.size === 0
    },
    has: (name) => rooms.has(name),
    join: (name, member) => {
      const members = rooms.get(name)
      if (members === undefined) rooms.set(name, member)
      else if (members instanceof Set) members.add(member)
      else if (members !== member) rooms.set(name, new Set([members, member]))
    },
    leave,
    leaveAll: (member) => {
      leave(member.id, member)
      for (const name of member.subscriptions.all) leave(name, member)
    },
    names: () => [...rooms.keys()].filter(isInternal),
    ids: () => [...rooms.keys()].filter((name) => !isInternal(name)),
    membersOf: (names) => {
      const found = names.flatMap((name) => rooms.get(name) ?? [])
      const [only] = found
      if (only === undefined) return NONE
      return found.length === 1 ? listOf(only) : [...new Set(found.flatMap(listOf))]
    },
  }
}
