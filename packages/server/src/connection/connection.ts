import { RealtimeError, type Handshake, type NoticeName, type Notices } from '@tutti/protocol'
import type { Socket } from 'socket.io'
import type { Backlog } from './backpressure.ts'

/** One live socket of one client, or server code that acts as a user (`realtime.as`), as features see it. */
export interface Connection {
  /** The socket's id: unique in the cluster, new after each reconnect. Without a socket it begins with `$`, which no id of a socket has. */
  readonly id: string
  /** Id of the signed-in user; '' for anonymous. */
  readonly user: string
  /** The client's address, as `trustProxy` says. */
  readonly address: string
  /** What the client calls itself, across reconnects; a plain socket.io-client may have none. */
  readonly clientId: string | undefined
  readonly connected: boolean
  readonly subscriptions: Subscriptions
  /** What waits for it to read (C4). */
  readonly backlog: Backlog
  /** Sends to this connection alone. */
  send<Name extends NoticeName>(name: Name, payload: Notices[Name]): void
  /** Closes it at once, without waiting for what it does not read. */
  end(): void
  join(room: string): void
  leave(room: string): void
}

/** What a connection is subscribed to, bounded (X5). */
export interface Subscriptions {
  /** Counts the names in, all or none; throws `TOO_MANY_SUBSCRIPTIONS`. Names that are in already cost nothing. */
  add(names: readonly string[]): void
  has(name: string): boolean
  delete(name: string): void
  readonly all: Iterable<string>
}

/** The connection of a socket. */
export function createConnection(
  socket: Socket,
  { clientId }: Handshake,
  { user, address }: Pick<Connection, 'user' | 'address'>,
  maxSubscriptions: number,
  backlog: Backlog,
): Connection {
  return {
    id: socket.id,
    user,
    address,
    clientId,
    get connected() {
      return socket.connected
    },
    subscriptions: createSubscriptions(maxSubscriptions),
    backlog,
    send: (name, payload) => void socket.emit(name, payload),
    end: () => socket.conn.close(true),
    join: (room) => void socket.join(room),
    leave: (room) => void socket.leave(room),
  }
}

/** Subscriptions of one connection, so many at most. */
export function createSubscriptions(maxSubscriptions: number): Subscriptions {
  const held = new Set<string>()
  return {
    add(names) {
      const added = new Set(names.filter((name) => !held.has(name)))
      if (held.size + added.size > maxSubscriptions) {
        throw new RealtimeError('TOO_MANY_SUBSCRIPTIONS', { message: `A connection may have ${maxSubscriptions} subscriptions.` })
      }
      for (const name of added) held.add(name)
    },
    has: (name) => held.has(name),
    delete: (name) => void held.delete(name),
    all: held,
  }
}
