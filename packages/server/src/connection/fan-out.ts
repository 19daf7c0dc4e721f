import type { NoticeName, Notices } from '@tutti/protocol'
import type { Server } from 'socket.io'
import type { LocalRooms } from './local-rooms.ts'

/** Sends one notice to many connections of this instance. The one place that knows how; made fast here, if anywhere. */
export interface FanOut {
  /** Tells whether anybody here is in one of the rooms. */
  isHeard(rooms: readonly string[]): boolean
  /** Encodes once and reaches each connection once, whatever rooms it shares; does nothing where nobody listens. */
  emit<Name extends NoticeName>(rooms: readonly string[], name: Name, payload: Notices[Name], except?: readonly string[]): void
}

/**
 * Fan-out over Socket.IO's rooms and those of connections without a socket. `local` of Socket.IO: other instances are
 * notified by the relay, never by an adapter.
 */
export function createFanOut(io: Server, localRooms: LocalRooms): FanOut {
  const namespace = io.of('/')
  const isHeardBySockets = (rooms: readonly string[]): boolean => rooms.some((room) => namespace.adapter.rooms.has(room))
  return {
    isHeard: (rooms) => isHeardBySockets(rooms) || rooms.some((room) => localRooms.has(room)),
    emit: (rooms, name, payload, except = []) => {
      if (isHeardBySockets(rooms))
        io.local
          .to([...rooms])
          .except([...except])
          .emit(name, payload)
      for (const connection of localRooms.membersOf(rooms)) if (!except.includes(connection.id)) connection.send(name, payload)
    },
  }
}
