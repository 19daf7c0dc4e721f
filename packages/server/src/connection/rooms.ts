import type { NoticeName } from '@tutti/protocol'
import type { Notice } from './notice.ts'

/** A connection as the rooms know it, with a socket or without. */
export interface Member {
  readonly id: string
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
  leaveAll(member: Member): void
  /** The members of any of the rooms, each once. */
  membersOf(names: readonly string[]): readonly Member[]
}

/** Most rooms have one member, and need no set. */
interface Room {
  readonly name: string
  members: Member | Set<Member>
}

const NONE: readonly Member[] = []

const membersIn = ({ members }: Room): readonly Member[] => (members instanceof Set ? [...members] : [members])

/** Makes the rooms of one server: of connections with and without a socket alike. */
export function createRooms(): Rooms {
  const rooms = new Map<string, Room>()
  const joined = new Map<Member, Set<Room>>()

  const addTo = (room: Room, member: Member): void => {
    if (room.members instanceof Set) room.members.add(member)
    else if (room.members !== member) room.members = new Set([room.members, member])
  }
  const removeFrom = (room: Room, member: Member): void => {
    if (room.members instanceof Set) {
      room.members.delete(member)
      const [last] = room.members
      if (room.members.size === 1 && last !== undefined) room.members = last
    } else if (room.members === member) rooms.delete(room.name)
  }

  return {
    get isEmpty() {
      return rooms.size === 0 && joined.size === 0
    },
    has: (name) => rooms.has(name),
    join: (name, member) => {
      let room = rooms.get(name)
      if (room === undefined) rooms.set(name, (room = { name, members: member }))
      else addTo(room, member)
      const mine = joined.get(member)
      if (mine === undefined) joined.set(member, new Set([room]))
      else mine.add(room)
    },
    leave: (name, member) => {
      const room = rooms.get(name)
      const mine = joined.get(member)
      if (room === undefined || mine?.delete(room) !== true) return
      removeFrom(room, member)
      if (mine.size === 0) joined.delete(member)
    },
    leaveAll: (member) => {
      for (const room of joined.get(member) ?? []) removeFrom(room, member)
      joined.delete(member)
    },
    membersOf: (names) => {
      const found = names.flatMap((name) => rooms.get(name) ?? [])
      const [only] = found
      if (only === undefined) return NONE
      return found.length === 1 ? membersIn(only) : [...new Set(found.flatMap(membersIn))]
    },
  }
}
