import { RealtimeError, type JsonValue } from '@tutti/protocol'
import { byteLength } from '@tutti/protocol/internal'
import {
  presenceCursorSchema,
  presenceJoinSchema,
  presenceLeaveSchema,
  presenceSubscriptionSchema,
  presenceUpdateSchema,
} from '@tutti/protocol/internal/schemas'
import { checkValue } from '../check-value.ts'
import { defineHandler, type Handler } from '../connection/handler.ts'
import type { Core } from '../feature.ts'
import type { Memberships } from './memberships.ts'
import { joinAccess, readAccess } from './presence-access.ts'
import type { PresenceRooms } from './presence-rooms.ts'

/** The handlers of `presence:*`. */
export function createPresenceHandlers(
  { schema }: Pick<Core, 'schema'>,
  memberships: Memberships,
  rooms: PresenceRooms,
  maxInfoBytes: number,
): Handler[] {
  const checkSize = (what: 'info' | 'cursor', value: JsonValue): void => {
    const size = byteLength(JSON.stringify(value))
    if (size <= maxInfoBytes) return
    throw new RealtimeError('TOO_LARGE', {
      message: `The ${what} has ${size} bytes. The limit is ${maxInfoBytes} (presence.maxInfoBytes).`,
    })
  }
  const checkInfo = (room: string, info: JsonValue): void => {
    checkSize('info', info)
    checkValue(schema, 'presence', room, info)
  }

  return [
    defineHandler(
      'presence:join',
      presenceJoinSchema,
      ({ room }) => [joinAccess(room)],
      ({ room, info = null, sequence }, connection) => {
        checkInfo(room, info)
        return memberships.join(connection, room, info, sequence)
      },
    ),
    defineHandler(
      'presence:update',
      presenceUpdateSchema,
      ({ room }) => [joinAccess(room)],
      ({ room, info }, connection) => {
        checkInfo(room, info)
        return memberships.update(connection, room, info)
      },
    ),
    defineHandler(
      'presence:leave',
      presenceLeaveSchema,
      () => [],
      ({ room }, connection) => memberships.leave(connection, room),
    ),
    defineHandler(
      'presence:subscribe',
      presenceSubscriptionSchema,
      ({ room }) => [readAccess(room)],
      ({ room, count = false }, connection) => rooms.subscribe(connection, room, count),
    ),
    defineHandler(
      'presence:unsubscribe',
      presenceSubscriptionSchema,
      () => [],
      ({ room, count = false }, connection) => {
        rooms.unsubscribe(connection, room, count)
        return {}
      },
    ),
    defineHandler(
      'presence:cursor',
      presenceCursorSchema,
      // The right ends with the membership.
      () => [],
      ({ room, data }, connection) => {
        checkSize('cursor', data)
        const id = memberships.idOf(connection, room)
        if (id !== undefined) rooms.move(room, id, data)
        return {}
      },
    ),
  ]
}
