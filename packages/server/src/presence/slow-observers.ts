import type { Connection } from '../connection/connection.ts'
import { countRoom, presenceRoom } from '../connection/subscription-names.ts'
import { createPendingChanges, type PendingChanges } from './pending-changes.ts'

/** Connections that read too slowly receive no presence until they have read everything (C4). */
export interface SlowObservers {
  /** Too much waits for the connection. */
  add(connection: Connection): void
  /** Ids of those that are left out of a notice about the members of the room. `note` records for each what it misses. */
  excluded(room: string, note: (missed: PendingChanges) => void): readonly string[]
  /** Ids of those that are left out of a notice about the number of members. */
  excludedFromCount(room: string): readonly string[]
  /** The connection was sent all members of the room. */
  forget(connection: Connection, room: string): void
  /** The connection is closed. */
  delete(connection: Connection): void
}

const NONE: readonly string[] = []

/** `catchUp` sends to a connection what it missed in a room. */
export function createSlowObservers(catchUp: (connection: Connection, room: string, missed: PendingChanges) => void): SlowObservers {
  const slow = new Map<Connection, Map<string, PendingChanges>>()

  /** One room after the other, no faster than the connection reads. */
  const next = (connection: Connection): void => {
    const rooms = slow.get(connection)
    if (rooms === undefined) return
    const [first] = rooms
    if (first === undefined) return void slow.delete(connection)
    const [room, missed] = first
    rooms.delete(room)
    catchUp(connection, room, missed)
    connection.backlog.afterDrain(() => next(connection))
  }
  const missedOf = (rooms: Map<string, PendingChanges>, room: string): PendingChanges => {
    const missed = rooms.get(room) ?? createPendingChanges({ dropsEnded: true })
    rooms.set(room, missed)
    return missed
  }
  const excluded = (room: string, name: string, note: (missed: PendingChanges) => void): readonly string[] => {
    if (slow.size === 0) return NONE
    const ids: string[] = []
    for (const [connection, rooms] of slow) {
      // After it has read, only rooms of which it still misses something wait for their turn.
      if ((!connection.backlog.isFull && !rooms.has(room)) || !connection.subscriptions.has(name)) continue
      note(missedOf(rooms, room))
      ids.push(connection.id)
    }
    return ids
  }

  return {
    add: (connection) => {
      if (slow.has(connection)) return
      slow.set(connection, new Map())
      connection.backlog.afterDrain(() => next(connection))
    },
    excluded: (room, note) => excluded(room, presenceRoom(room), note),
    excludedFromCount: (room) => excluded(room, countRoom(room), () => {}),
    forget: (connection, room) => void slow.get(connection)?.delete(room),
    delete: (connection) => void slow.delete(connection),
  }
}
