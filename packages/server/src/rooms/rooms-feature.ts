import type { Commands } from '@tutti/coordination/contract'
import { roomCommandSchema } from '@tutti/protocol/internal/schemas'
import type { Connection } from '../connection/connection.ts'
import type { Rooms } from '../connection/rooms.ts'
import { userRoom } from '../connection/subscription-names.ts'
import { checkValue } from '../check-value.ts'
import type { Core, Feature } from '../feature.ts'
import { parseRelayMessage } from '../parse-relay-message.ts'
import { roomAccess } from './room-access.ts'
import { createRoomCommands } from './room-commands.ts'
import { createRoomHandlers } from './room-handlers.ts'
import type { RoomMemberships } from './room-memberships.ts'
import { sendRoomCommand } from './send-room-command.ts'
import type { RoomCalls } from './rooms-contract.ts'
import { createRoomCalls } from './server-rooms.ts'
import type { RoomsSettings } from './rooms-options.ts'

/** The parts of rooms. */
export interface RoomsFeature {
  readonly feature: Feature
  readonly calls: RoomCalls
}

/** What rooms need beside the core. */
export interface RoomsFeatureOptions extends RoomsSettings {
  readonly rooms: Rooms
  readonly memberships: RoomMemberships
  readonly commands: Commands
  /** The connection leaves the presence of a room. */
  readonly leavePresence: (connection: Connection, room: string) => Promise<unknown>
}

/** Rooms: what `room:*` messages and the calls of `realtime.rooms` do. This file connects the parts. */
export function roomsFeature(core: Core, { rooms, memberships, commands, leavePresence, ...settings }: RoomsFeatureOptions): RoomsFeature {
  const run = createRoomCommands({ rooms, fanOut: core.fanOut, memberships, leavePresence })
  const stop = commands.handle(async (received) => {
    const result = await run(parseRelayMessage(roomCommandSchema, received.text), received)
    return result && JSON.stringify(result)
  })
  return {
    calls: createRoomCalls({
      ...settings,
      send: sendRoomCommand(commands),
      check: (name, data, room) => checkValue(core.schema, 'messages', name, data, room),
    }),
    feature: {
      name: 'room',
      handlers: createRoomHandlers(memberships),
      onConnect: (connection) => {
        if (connection.user !== '') connection.join(userRoom(connection.user))
      },
      onDisconnect: (connection) => {
        memberships.disconnect(connection)
        if (connection.user !== '') connection.leave(userRoom(connection.user))
      },
      holds: (connection) => memberships.joinedBy(connection, 'client').map(roomAccess),
      given: (connection) => memberships.joinedBy(connection, 'server').map(roomAccess),
      apply: (connection, { action, target }, verdict) => {
        if (action === 'room:join' && 'refusal' in verdict) memberships.remove(connection, target.room)
      },
      close: async () => stop(),
    },
  }
}
