import { randomUUID } from 'node:crypto'
import type { NoticeName, Notices } from '@tutti/protocol'
import { createSubscriptions, type Connection, type Requester } from '../connection/connection.ts'
import type { Rooms } from '../connection/rooms.ts'

/** What a connection without a socket does with the notices that it is sent. */
export type NoticeListeners = { readonly [Name in NoticeName]?: (payload: Notices[Name]) => void }

/** A connection of server code that acts as a user. It has no socket, and the rights and rooms of one that has. */
export interface LocalConnection extends Requester {
  /** Leaves its rooms. From now on it receives nothing. */
  close(): void
}

/** What a connection without a socket is made of. */
export interface LocalConnectionOptions extends Pick<Connection, 'user' | 'address'> {
  readonly rooms: Rooms
  readonly maxSubscriptions: number
  readonly listeners: NoticeListeners
}

/** Makes a connection without a socket. */
export function createLocalConnection({ user, address, rooms, maxSubscriptions, listeners }: LocalConnectionOptions): LocalConnection {
  let connected = true
  const connection: LocalConnection = {
    // No id of a socket begins so.
    id: `$${randomUUID()}`,
    user,
    address,
    clientId: undefined,
    get connected() {
      return connected
    },
    openedAt: Math.floor(performance.now()),
    subscriptions: createSubscriptions(maxSubscriptions),
    requestsInFlight: 0,
    // Nothing waits between the server and a listener in its own process.
    backlog: { isFull: false, afterDrain: (run) => run() },
    send: (name, payload) => {
      if (connected) listeners[name]?.(payload)
    },
    deliver: ({ name, payload }) => connection.send(name, payload),
    end: () => connection.close(),
    disconnect: () => connection.close(),
    join: (room) => {
      if (connected) rooms.join(room, connection)
    },
    leave: (room) => rooms.leave(room, connection),
    close: () => {
      connected = false
      rooms.leaveAll(connection)
    },
  }
  return connection
}
