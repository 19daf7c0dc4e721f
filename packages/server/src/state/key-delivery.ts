import { toWireError, type Entry, type EntryPage } from '@tutti/protocol'
import { noMore } from '../authorization/revocations.ts'
import type { Connection } from '../connection/connection.ts'
import { PlacedReply } from '../connection/handler.ts'
import { keyOfRoom, keyRoom } from '../connection/subscription-rooms.ts'
import type { Core } from '../feature.ts'
import type { Audience } from './audience.ts'
import type { InFlightWrites } from './in-flight-writes.ts'
import type { SharedReads } from './shared-reads.ts'
import type { SubscriptionRegistry } from './subscription-registry.ts'

/** Reads for one subscription at most; a store that has lost data can't show what was written before. */
const MAX_READS = 5

/** Subscriptions to single keys. */
export interface KeyDelivery {
  /**
   * Subscribes to the keys (throws `TOO_MANY_SUBSCRIPTIONS`) and reads their entries, while changes are buffered for the
   * connection. `requested`: the keys, with the versions that the client has; their entries are left out of the reply (C2).
   */
  subscribe(connection: Connection, requested: ReadonlyMap<string, number | undefined>): Promise<PlacedReply<EntryPage>>
  /** The connection leaves the key. */
  leave(connection: Connection, key: string): void
  /** The connection is closed. */
  leaveAll(connection: Connection): void
}

/** What the delivery of keys is made of. */
export interface KeyDeliveryOptions {
  readonly core: Pick<Core, 'fanOut'>
  readonly registry: SubscriptionRegistry
  readonly audience: Audience
  readonly reads: SharedReads
  readonly inFlight: InFlightWrites
}

/** Makes the subscriptions to keys of one instance. */
export function createKeyDelivery({ core, registry, audience, reads, inFlight }: KeyDeliveryOptions): KeyDelivery {
  /** The entries, no older than what the connection has written meanwhile. */
  const read = async (connection: Connection, keys: ReadonlyMap<string, unknown>): Promise<Entry[]> => {
    const names = [...keys.keys()]
    for (let rest = MAX_READS; ; rest -= 1) {
      const entries = await reads.read(names)
      // Also of writes that began after the request: the read may have been sent after them.
      await inFlight.replied(connection, (key) => keys.has(key))
      const isStale = entries.some(({ key, version }) => version < (registry.find(key)?.writtenBy(connection.id) ?? -1))
      if (!isStale || rest === 1) return entries
    }
  }

  /** The connection was sent the entry: sends what it missed meanwhile, and from now on every change. */
  const settle = (connection: Connection, key: string, room: string, version: number): void => {
    if (!connection.connected) return leave(connection, key)
    if (!connection.subscriptions.has(room)) {
      // The right to it was taken away meanwhile, and the notice of that came before the reply.
      leave(connection, key)
      return connection.send('server:revoked', { target: { key }, error: toWireError(noMore()) })
    }
    const isAlone = !core.fanOut.isHeard([room]) && registry.prefixes.above(key).length === 0
    connection.join(room)
    audience.sendChanges(connection, registry.open(key).end(connection.id, 'keyReply', version, isAlone))
  }

  const leave = (connection: Connection, key: string): void => {
    const room = keyRoom(key)
    connection.leave(room)
    connection.subscriptions.delete(room)
    const subscription = registry.find(key)
    // A prefix above the key remains subscribed.
    if (subscription !== undefined && registry.prefixes.isMember(connection.id, key))
      audience.sendChanges(connection, subscription.end(connection.id, 'keyReply', -1))
    else subscription?.leave(connection.id)
    registry.collect(key)
  }

  return {
    subscribe: async (connection, requested) => {
      const { id, subscriptions } = connection
      const rooms = new Map<string, string>()
      for (const key of requested.keys()) rooms.set(key, keyRoom(key))
      const roomOf = (key: string): string => rooms.get(key) ?? keyRoom(key)
      const subscribedBefore = new Set([...rooms.values()].filter((room) => subscriptions.has(room)))
      subscriptions.add([...rooms.values()])
      for (const key of rooms.keys()) registry.open(key).begin(id, 'keyReply')
      try {
        const entries = await read(connection, requested)
        const isNews = ({ key, version }: Entry): boolean => version !== requested.get(key) && subscriptions.has(roomOf(key))
        return new PlacedReply(
          { entries: entries.filter(isNews) },
          {
            after: () => {
              for (const { key, version } of entries) settle(connection, key, roomOf(key), version)
            },
          },
        )
      } catch (error) {
        // What was subscribed before stays so, and is sent all that was buffered for it.
        for (const [key, room] of rooms) {
          if (subscribedBefore.has(room)) settle(connection, key, room, -1)
          else leave(connection, key)
        }
        throw error
      }
    },
    leave,
    leaveAll: (connection) => {
      for (const room of [...connection.subscriptions.all]) {
        const key = keyOfRoom(room)
        if (key !== undefined) leave(connection, key)
      }
    },
  }
}
