import type { NoticeName } from '@tutti/protocol'
import type { Notice } from './notice.ts'

/** A connection as the rooms know it, with a socket or without. */
export interface Member {
  readonly id: string
  /** The names of all rooms that it may be in, apart from that of its id. */
  readonly subscriptions: { readonly all: Iterable<string> }
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
  /** Leaves the room of its id and those of its subscriptions: a member is in no others. */
  leaveAll(member: Member): void
  /** The members of any of the rooms, each once. */
  membersOf(names: readonly string[]): readonly Member[]
}

/** Most rooms have one member, and need no set. */
type Members = Member | Set<Member>

const NONE: readonly Member[] = []

const listOf = (members: Members): readonly Member[] => (members instanceof Set ? [...members] : [members])

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
    membersOf: (names) => {
      const found = names.flatMap((name) => rooms.get(name) ?? [])
      const [only] = found
      if (only === undefined) return NONE
      return found.length === 1 ? listOf(only) : [...new Set(found.flatMap(listOf))]
    },
  }
}
