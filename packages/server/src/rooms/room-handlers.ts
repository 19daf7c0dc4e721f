import { roomJoinSchema, roomLeaveSchema } from '@tutti/protocol/internal/schemas'
import { defineHandler, type Handler } from '../connection/handler.ts'
import { applicationRoom } from '../connection/subscription-names.ts'
import { roomAccess } from './room-access.ts'
import type { RoomMemberships } from './room-memberships.ts'

/** The handlers of `room:*`. */
export const createRoomHandlers = (memberships: RoomMemberships): Handler[] => [
  defineHandler(
    'room:join',
    roomJoinSchema,
    ({ room }) => [roomAccess(room)],
    ({ room }, connection) => {
      connection.subscriptions.add([applicationRoom(room)])
      memberships.join(connection, room, 'client')
      return {}
    },
  ),
  defineHandler(
    'room:leave',
    roomLeaveSchema,
    () => [],
    ({ room }, connection) => {
      memberships.leave(connection, room, 'client')
      return {}
    },
  ),
]
