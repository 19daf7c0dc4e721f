import type { Coordination } from '@tutti/coordination/contract'
import { RealtimeError } from '@tutti/protocol'
import type { Rooms } from './connection/rooms.ts'
import type { Core, Feature } from './feature.ts'
import type { LockSettings } from './locks/lock-options.ts'
import { locksFeature } from './locks/locks-feature.ts'
import { presenceFeature } from './presence/presence-feature.ts'
import type { PresenceSettings } from './presence/presence-options.ts'
import { createServerPresence, type ServerPresence } from './presence/server-presence.ts'
import { createRoomMemberships } from './rooms/room-memberships.ts'
import { roomsFeature } from './rooms/rooms-feature.ts'
import type { RoomsSettings } from './rooms/rooms-options.ts'
import type { RoomCalls } from './rooms/rooms-contract.ts'

/** What needs a `Coordination`. Without one it is off. */
export interface CoordinatedFeatures {
  readonly features: readonly Feature[]
  readonly presence: ServerPresence
  /** `realtime.rooms` and what sends to connections. */
  readonly calls: RoomCalls
  /** Settles when commands of other instances are received, and other instances count on this one. */
  readonly ready: Promise<unknown>
}

/** The features that are on, and what they are made of. */
export interface CoordinatedFeaturesOptions {
  readonly core: Core
  readonly rooms: Rooms
  readonly coordination: Coordination | undefined
  readonly settings: {
    readonly presence: PresenceSettings | undefined
    readonly rooms: RoomsSettings | undefined
    readonly locks: LockSettings | undefined
  }
}

const off = (feature: string, option: string): RealtimeError =>
  new RealtimeError('UNSUPPORTED', { message: `${feature} is off. It needs the option \`coordination\`, and not \`${option}: false\`.` })

/** Makes the features. */
export function createCoordinatedFeatures({ core, rooms, coordination, settings }: CoordinatedFeaturesOptions): CoordinatedFeatures {
  const memberships = createRoomMemberships()
  const presence = coordination && settings.presence && presenceFeature(core, coordination, memberships, settings.presence)
  const lock = coordination && settings.locks && locksFeature(core, coordination, settings.locks)
  const room =
    coordination &&
    settings.rooms &&
    roomsFeature(core, {
      ...settings.rooms,
      ...{ rooms, memberships, commands: coordination.commands },
      leavePresence: async (connection, name) => presence?.leave(connection, name),
    })
  return {
    features: [presence?.feature, room?.feature, lock].flatMap((feature) => feature ?? []),
    presence: createServerPresence(() => {
      if (presence && coordination) return coordination
      throw off('Presence', 'presence')
    }),
    calls: room?.calls ?? roomsOff(),
    ready: Promise.all(coordination && room ? [coordination.instance.ready, coordination.commands.ready] : []),
  }
}

/** The calls where rooms are off: each rejects with `UNSUPPORTED`. */
function roomsOff(): RoomCalls {
  const refuse = async (): Promise<never> => {
    throw off('Rooms', 'rooms')
  }
  const recipient = () => ({ send: refuse })
  const rooms = {
    join: refuse,
    leave: refuse,
    move: refuse,
    broadcast: refuse,
    disconnect: refuse,
    connections: refuse,
    of: refuse,
    list: refuse,
  }
  return { rooms, broadcast: refuse, user: recipient, connection: recipient }
}
