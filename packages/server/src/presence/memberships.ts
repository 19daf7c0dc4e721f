import type { Coordination } from '@tutti/coordination/contract'
import type { JsonValue } from '@tutti/protocol'
import { createKeyedMutex } from '@tutti/protocol/internal'
import { goneError } from '../authorization/access-control.ts'
import { revokedError } from '../authorization/revocations.ts'
import type { Connection } from '../connection/connection.ts'
import { membershipRoom } from '../connection/subscription-names.ts'
import type { ServerErrorListener } from '../feature.ts'
import type { RoomMemberships } from '../rooms/room-memberships.ts'

/** The memberships of the connections of this instance. */
export interface Memberships {
  /** Rejects as `Members.join` does; throws `TOO_MANY_SUBSCRIPTIONS`. */
  join(connection: Connection, room: string, info: JsonValue, sequence: number | undefined): Promise<{ id: string }>
  update(connection: Connection, room: string, info: JsonValue): Promise<object>
  leave(connection: Connection, room: string): Promise<object>
  /** The id of the member that the connection is, if it is one. */
  idOf(connection: Connection, room: string): string | undefined
  /** The right to be a member has ended. */
  end(connection: Connection, room: string): void
  /** The connection is closed. */
  disconnect(connection: Connection): void
}

/** A connection that is a member of a room, or about to be. */
interface Membership {
  id: string | undefined
  /** Joins that were received and have not ended. */
  joins: number
  isRevoked: boolean
}

/** What memberships need. */
export interface MembershipsOptions {
  coordination: Coordination
  /** A member of a room's presence is in the room. */
  roomMemberships: Pick<RoomMemberships, 'join' | 'leave'>
  /** A connection is no longer a member of a room. */
  onEnd: (room: string) => void
  onError: ServerErrorListener
}

/** Makes the memberships of one instance. */
export function createMemberships({ coordination, roomMemberships, onEnd, onError }: MembershipsOptions): Memberships {
  const byConnection = new Map<Connection, Map<string, Membership>>()
  /** One after the other for a connection and room, in the order of its messages. */
  const mutex = createKeyedMutex()
  const nameOf = (connection: Connection, room: string): string => `${connection.id} ${room}`
  const find = (connection: Connection, room: string): Membership | undefined => byConnection.get(connection)?.get(room)

  const forget = (connection: Connection, room: string): void => {
    const own = byConnection.get(connection)
    own?.delete(room)
    if (own?.size === 0) byConnection.delete(connection)
    connection.subscriptions.delete(membershipRoom(room))
    roomMemberships.leave(connection, room, 'presence')
    onEnd(room)
  }
  /** The connection is no member. Its rights stay under control while a further join waits. */
  const endUnlessJoining = (connection: Connection, room: string, membership: Membership): void => {
    membership.id = undefined
    if (find(connection, room) !== membership) return
    if (membership.joins === 0) return forget(connection, room)
    roomMemberships.leave(connection, room, 'presence')
    onEnd(room)
  }

  return {
    join: async (connection, room, info, sequence) => {
      // Authorization took longer than the connection lasted: nothing would end what begins now.
      if (!connection.connected) throw goneError()
      connection.subscriptions.add([membershipRoom(room)])
      const own = byConnection.get(connection) ?? new Map<string, Membership>()
      const membership = own.get(room) ?? { id: undefined, joins: 0, isRevoked: false }
      byConnection.set(connection, own.set(room, membership))
      membership.joins += 1
      const members = coordination.members(room)
      const { user, clientId, id: connectionId } = connection
      return mutex.run(nameOf(connection, room), async () => {
        try {
          // It has waited for its turn while the connection ended.
          if (!connection.connected) throw goneError()
          if (membership.isRevoked) throw revokedError()
          const { id } = await members.join({ user, clientId, connectionId, sequence }, info)
          if (!connection.connected) members.disconnect(connectionId)
          // What revoked it leaves after this.
          else if (membership.isRevoked) throw revokedError()
          membership.id = id
          membership.joins -= 1
          roomMemberships.join(connection, room, 'presence')
          return { id }
        } catch (error) {
          membership.joins -= 1
          if (membership.id === undefined) endUnlessJoining(connection, room, membership)
          throw error
        }
      })
    },
    update: async (connection, room, info) => {
      if (find(connection, room) === undefined) return {}
      await mutex.run(nameOf(connection, room), () => coordination.members(room).update(connection.id, info))
      return {}
    },
    leave: async (connection, room) => {
      const membership = find(connection, room)
      if (membership === undefined) return {}
      await mutex.run(nameOf(connection, room), async () => {
        await coordination.members(room).leave(connection.id)
        endUnlessJoining(connection, room, membership)
      })
      return {}
    },
    idOf: (connection, room) => find(connection, room)?.id,
    end: (connection, room) => {
      const membership = find(connection, room)
      if (membership === undefined) return
      membership.isRevoked = true
      forget(connection, room)
      const members = coordination.members(room)
      mutex
        .run(nameOf(connection, room), () => members.leave(connection.id))
        .catch((error: unknown) => {
          onError(error, { stage: 'handler', subject: room })
          // This is repeated until the store has it.
          members.disconnect(connection.id)
        })
    },
    disconnect: (connection) => {
      const own = byConnection.get(connection)
      byConnection.delete(connection)
      for (const room of own?.keys() ?? []) {
        coordination.members(room).disconnect(connection.id)
        onEnd(room)
      }
    },
  }
}
