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
  const read = async (connection: Connection, keys: readonly string[]): Promise<Entry[]> => {
    for (let rest = MAX_READS; ; rest -= 1) {
      const entries = await reads.read(keys)
      // Also of writes that began after the request: the read may have been sent after them.
      await inFlight.replied(connection, (key) => keys.includes(key))
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
    const subscription = registry.open(key)
    // For all but the first subscribers nothing needs to be looked up.
    const isAlone = !subscription.isKnown(version) && !core.fanOut.isHeard(room) && registry.prefixes.above(key).length === 0
    connection.join(room)
    audience.sendChanges(connection, subscription.end(connection.id, 'keyReply', version, isAlone))
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
      const keys = [...requested.keys()]
      // Each name of a room is made once: a new text would be hashed anew at each lookup.
      const rooms = keys.map(keyRoom)
      const added = subscriptions.add(rooms)
      for (const key of keys) registry.open(key).begin(id, 'keyReply')
      try {
        const entries = await read(connection, keys)
        const isNews = ({ key, version }: Entry, place: number): boolean =>
          version !== requested.get(key) && subscriptions.has(rooms[place] ?? keyRoom(key))
        return new PlacedReply(
          { entries: entries.filter(isNews) },
          {
            after: () => {
              for (const [place, { key, version }] of entries.entries()) settle(connection, key, rooms[place] ?? keyRoom(key), version)
            },
          },
        )
      } catch (error) {
        for (const [place, key] of keys.entries()) {
          const room = rooms[place] ?? keyRoom(key)
          if (added.includes(room)) leave(connection, key)
          // What was subscribed before stays so, and is sent all that was buffered for it.
          else settle(connection, key, room, -1)
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
