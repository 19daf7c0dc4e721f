import type { Coordination } from '@tutti/coordination/contract'
import type { Core, Feature } from '../feature.ts'
import { createMemberships } from './memberships.ts'
import { presenceAccesses } from './presence-access.ts'
import { createPresenceHandlers } from './presence-handlers.ts'
import type { PresenceSettings } from './presence-options.ts'
import { createPresenceRooms } from './presence-rooms.ts'

/** Presence: what `presence:*` messages do. This file connects the parts. */
export function presenceFeature(core: Core, coordination: Coordination, { tickMs, maxInfoBytes }: PresenceSettings): Feature {
  const rooms = createPresenceRooms(core, coordination, tickMs)
  const memberships = createMemberships(coordination, rooms.collect, core.onError)
  return {
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
}
