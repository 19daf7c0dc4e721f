import type { NoticeName, Notices } from '@tutti/protocol'
import type { Server } from 'socket.io'

/** Sends one notice to many connections of this instance. The one place that knows how; made fast here, if anywhere. */
export interface FanOut {
  /** Tells whether anybody here is in one of the rooms. */
  isHeard(rooms: readonly string[]): boolean
  /** Encodes once and reaches each connection once, whatever rooms it shares; does nothing where nobody listens. */
  emit<Name extends NoticeName>(rooms: readonly string[], name: Name, payload: Notices[Name], except?: readonly string[]): void
}

/** Fan-out over Socket.IO's rooms. `local`: other instances are told by the relay, never by an adapter. */
export function createFanOut(io: Server): FanOut {
  const namespace = io.of('/')
  const isHeard = (rooms: readonly string[]): boolean => rooms.some((room) => namespace.adapter.rooms.has(room))
  return {
    isHeard,
    emit: (rooms, name, payload, except = []) => {
      if (isHeard(rooms))
        io.local
          .to([...rooms])
          .except([...except])
          .emit(name, payload)
    },
  }
}
