import type { Coordination } from '@tutti/coordination/contract'
import type { Connection } from '../connection/connection.ts'
import type { Core, Feature } from '../feature.ts'
import type { RoomMemberships } from '../rooms/room-memberships.ts'
import { createMemberships } from './memberships.ts'
import { presenceAccesses } from './presence-access.ts'
import { createPresenceHandlers } from './presence-handlers.ts'
import type { PresenceSettings } from './presence-options.ts'
import { createPresenceRooms } from './presence-rooms.ts'

/** The parts of presence. */
export interface PresenceFeature {
  readonly feature: Feature
  /** The connection leaves the presence of a room, if it is a member. */
  leave(connection: Connection, room: string): Promise<object>
}

/** Presence: what `presence:*` messages do. This file connects the parts. */
export function presenceFeature(
  core: Core,
  coordination: Coordination,
  roomMemberships: RoomMemberships,
  { tickMs, maxInfoBytes }: PresenceSettings,
): PresenceFeature {
  const rooms = createPresenceRooms(core, coordination, tickMs)
  const memberships = createMemberships({ coordination, roomMemberships, onEnd: rooms.collect, onError: core.onError })
  const feature: Feature = {
    name: 'presence',
    handlers: createPresenceHandlers(core, memberships, rooms, maxInfoBytes),
    onSlow: rooms.addSlow,
    onDisconnect: (connection) => {
      memberships.disconnect(connection)
      rooms.leaveAll(connection)
    },
    holds: presenceAccesses,
    apply: (connection, { action, target }, verdict) => {
      if (!('room' in target) || 'allow' in verdict) return
      if (action === 'presence:join') return memberships.end(connection, target.room)
      for (const countOnly of [true, false]) rooms.unsubscribe(connection, target.room, countOnly)
    },
    close: async () => rooms.close(),
  }
  return { feature, leave: memberships.leave }
}
