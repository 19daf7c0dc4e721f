import type { Coordination } from '@tutti/coordination/contract'
import type { JsonValue, PresencePage } from '@tutti/protocol'
import type { Connection } from '../connection/connection.ts'
import type { PlacedReply } from '../connection/handler.ts'
import { countRoom, observedRoom, presenceRoom } from '../connection/subscription-names.ts'
import type { Core } from '../feature.ts'
import { createPresenceRoom, type PresenceRoom } from './presence-room.ts'
import { createSlowObservers } from './slow-observers.ts'

/** The rooms that have observers on this instance. Other rooms cost nothing. */
export interface PresenceRooms {
  /** Throws `TOO_MANY_SUBSCRIPTIONS`. */
  subscribe(connection: Connection, room: string, countOnly: boolean): PlacedReply<PresencePage>
  unsubscribe(connection: Connection, room: string, countOnly: boolean): void
  /** A member of this instance moved its cursor. */
  move(room: string, id: string, data: JsonValue): void
  /** A member of this instance has left. */
  collect(room: string): void
  /** The connection reads too slowly. */
  addSlow(connection: Connection): void
  /** The connection is closed. */
  leaveAll(connection: Connection): void
  close(): void
}

/** Makes the rooms of one instance. */
export function createPresenceRooms({ fanOut }: Pick<Core, 'fanOut'>, coordination: Coordination, tickMs: number): PresenceRooms {
  const rooms = new Map<string, PresenceRoom>()
  const slow = createSlowObservers((connection, room, missed) => rooms.get(room)?.catchUp(connection, missed))

  const open = (name: string): PresenceRoom => {
    const known = rooms.get(name)
    if (known !== undefined) return known
    const opened = createPresenceRoom({
      ...{ members: coordination.members(name), fanOut, slow, tickMs },
      onUnused: () => {
        if (rooms.get(name) === opened) rooms.delete(name)
      },
    })
    rooms.set(name, opened)
    return opened
  }

  return {
    subscribe: (connection, room, countOnly) => {
      connection.subscriptions.add([countOnly ? countRoom(room) : presenceRoom(room)])
      return open(room).subscribe(connection, countOnly)
    },
    unsubscribe: (connection, room, countOnly) => rooms.get(room)?.unsubscribe(connection, countOnly),
    move: (room, id, data) => open(room).move(id, data),
    collect: (room) => rooms.get(room)?.collect(),
    addSlow: (connection) => slow.add(connection),
    leaveAll: (connection) => {
      slow.delete(connection)
      for (const name of connection.subscriptions.all) rooms.get(observedRoom(name) ?? '')?.collect()
    },
    close: () => {
      for (const room of rooms.values()) room.close()
      rooms.clear()
    },
  }
}
