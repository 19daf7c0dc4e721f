import type { NoticeName } from '@tutti/protocol'
import { NameSet } from './name-set.ts'
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
type Members = Member | Set<Member>

const NONE: readonly Member[] = []
const NO_NAMES: readonly string[] = []

const listOf = (members: Members): readonly Member[] => (members instanceof Set ? [...members] : [members])

/** Makes the rooms of one server: of connections with and without a socket alike. */
export function createRooms(): Rooms {
  const rooms = new Map<string, Members>()
  const joined = new Map<Member, NameSet>()

  const add = (name: string, member: Member): void => {
    const members = rooms.get(name)
    if (members === undefined) rooms.set(name, member)
    else if (members instanceof Set) members.add(member)
    else if (members !== member) rooms.set(name, new Set([members, member]))
  }
  const remove = (name: string, member: Member): void => {
    const members = rooms.get(name)
    if (members instanceof Set) {
      members.delete(member)
      const [last] = members
      if (members.size === 1 && last !== undefined) rooms.set(name, last)
    } else if (members === member) rooms.delete(name)
  }

  return {
    get isEmpty() {
      return rooms.size === 0 && joined.size === 0
    },
    has: (name) => rooms.has(name),
    join: (name, member) => {
      add(name, member)
      const names = joined.get(member)
      if (names === undefined) joined.set(member, new NameSet([name]))
      else names.add(name)
    },
    leave: (name, member) => {
      const names = joined.get(member)
      if (names?.delete(name) !== true) return
      remove(name, member)
      if (names.size === 0) joined.delete(member)
    },
    leaveAll: (member) => {
      for (const name of joined.get(member) ?? NO_NAMES) remove(name, member)
      joined.delete(member)
    },
    membersOf: (names) => {
      const found = names.flatMap((name) => rooms.get(name) ?? [])
      const [only] = found
      if (only === undefined) return NONE
      return found.length === 1 ? listOf(only) : [...new Set(found.flatMap(listOf))]
    },
  }
}
