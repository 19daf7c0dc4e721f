import type { NoticeName, Notices } from '@tutti/protocol'
import type { Members } from './members.ts'
import { Notice } from './notice.ts'
import type { Rooms } from './rooms.ts'

/** Sends one notice to many connections of this instance. Other instances are notified by the relay. */
export interface FanOut {
  /** Whether a connection of this instance is in the room. */
  hasReceivers(room: string): boolean
  /** Ids of the connections in the room. */
  idsIn(room: string): ReadonlySet<string>
  /**
   * Encodes once and reaches each connection once, in however many of the rooms it is. Does nothing where the rooms have no members.
   * `rooms` may contain ids of connections, and members that are in no room; `except` contains ids alone. `json`: the text of the payload, where that is known.
   * Returns the number of connections.
   */
  emit<Name extends NoticeName>(
    rooms: readonly (string | Members)[],
    name: Name,
    payload: Notices[Name],
    except?: readonly string[],
    json?: string,
  ): number
}

/** Ids that are compared one by one. More are looked up. */
const FEW = 8

/** Makes the fan-out over rooms in which each connection is alone in the room of its id. */
export function createFanOut(rooms: Rooms): FanOut {
  return {
    hasReceivers: (name) => rooms.has(name),
    idsIn: (name) => new Set(rooms.membersOf([name]).map(({ id }) => id)),
    emit: (names, name, payload, except = [], json) => {
      const members = rooms.membersOf(names)
      if (members.length === 0) return 0
      const notice = new Notice(name, payload, json)
      const excepted = except.length > FEW ? new Set(except) : undefined
      let count = 0
      for (const member of members) {
        if (excepted === undefined ? except.includes(member.id) : excepted.has(member.id)) continue
        member.deliver(notice)
        count += 1
      }
      return count
    },
  }
}
