import { toWireError, type Entry, type EntryPage } from '@tutti/protocol'
import { revokedError } from '../authorization/revocations.ts'
import type { Connection } from '../connection/connection.ts'
import { PlacedReply } from '../connection/handler.ts'
import { subscribedKey } from '../connection/subscription-names.ts'
import type { Audience } from './audience.ts'
import type { InFlightWrites } from './in-flight-writes.ts'
import { Join } from './key-joins.ts'
import type { KeySubscription } from './key-subscription.ts'
import type { EntryList, SharedReads } from './shared-reads.ts'
import type { SubscriptionRegistry } from './subscription-registry.ts'

/** Reads for one subscription at most; a store that has lost data can't show what was written before. */
const MAX_READS = 5

/** Keys, each once, and the versions that the client has. Many clients may have the same, so it must not be changed. */
export interface RequestedKeys {
  readonly keys: readonly string[]
  readonly versions: readonly (number | undefined)[]
}

/** Subscriptions to single keys. */
export interface KeyDelivery {
  /**
   * Subscribes to the keys (throws `TOO_MANY_SUBSCRIPTIONS`) and reads their entries, while changes are buffered for the
   * connection. Entries in the version that the client has are left out of the reply (C2).
   */
  subscribe(connection: Connection, requested: RequestedKeys): Promise<PlacedReply<EntryPage>>
  /** The connection leaves the key. */
  leave(connection: Connection, key: string): void
  /** The connection is closed. */
  leaveAll(connection: Connection): void
}

/** What the delivery of keys is made of. */
export interface KeyDeliveryOptions {
  readonly registry: SubscriptionRegistry
  readonly audience: Audience
  readonly reads: SharedReads
  readonly inFlight: InFlightWrites
}

/** A subscription before its reply. */
interface Subscribing {
  readonly connection: Connection
  readonly join: Join
  /** Whether nothing took the key away meanwhile. */
  isSubscribed(this: void, key: string): boolean
}

/** Makes the subscriptions to keys of one instance. */
export function createKeyDelivery({ registry, audience, reads, inFlight }: KeyDeliveryOptions): KeyDelivery {
  /** The entries, no older than what the connection has written meanwhile. */
  const read = async (connection: Connection, keys: readonly string[], opened: readonly KeySubscription[]): Promise<EntryList> => {
    for (let rest = MAX_READS; ; rest -= 1) {
      const list = await reads.readList(keys)
      // Also of writes that began after the request: the read may have been sent after them.
      await inFlight.replied(connection, (key) => keys.includes(key))
      const isStale = list.entries.some(({ version }, place) => version < (opened[place]?.writtenBy(connection.id) ?? -1))
      if (!isStale || rest === 1) return list
    }
  }

  /** The connection was sent the entry: sends what it missed meanwhile, and from now on every change. */
  const settle = ({ connection, join, isSubscribed }: Subscribing, entry: Entry, subscription = registry.open(entry.key)): void => {
    const { key } = entry
    if (!connection.connected) return leave(connection, key)
    if (!isSubscribed(key)) {
      // The right to it was taken away meanwhile, and the notice of that came before the reply.
      leave(connection, key)
      return connection.send('server:revoked', { target: { key }, error: toWireError(revokedError()) })
    }
    const missed = subscription.endJoin(join, entry)
    subscription.join(connection)
    audience.sendChanges(connection, missed)
  }

  const leave = (connection: Connection, key: string): void => {
    connection.subscriptions.delete(key)
    const subscription = registry.find(key)
    subscription?.remove(connection)
    // A prefix above the key remains subscribed.
    if (subscription !== undefined && registry.prefixes.isMember(connection.id, key))
      audience.sendChanges(connection, subscription.end(connection.id, 'keyReply', -1))
    else subscription?.leave(connection.id)
    registry.collect(key)
  }

  return {
    subscribe: async (connection, { keys, versions }) => {
      const { id, subscriptions } = connection
      const added = subscriptions.add(keys)
      const { deletions } = subscriptions
      // Mostly nothing was taken away meanwhile, and no name needs to be looked up.
      const isSubscribed = (key: string): boolean => subscriptions.deletions === deletions || subscriptions.has(key)
      const join = new Join(id)
      const subscribing: Subscribing = { connection, join, isSubscribed }
      // Each stays until its join has ended, or the connection has left it.
      const opened = keys.map((key) => {
        const subscription = registry.open(key)
        subscription.beginJoin(join)
        return subscription
      })
      try {
        const { entries, reply } = await read(connection, keys, opened)
        const isNew = ({ key, version }: Entry, place: number): boolean => version !== versions[place] && isSubscribed(key)
        const areAllNew = entries.every(isNew)
        const after = (): void => {
          join.isOver = true
          entries.forEach((entry, place) => settle(subscribing, entry, opened[place]))
        }
        if (areAllNew) return new PlacedReply({ entries }, { after, encoding: reply })
        return new PlacedReply({ entries: entries.filter(isNew) }, { after })
      } catch (error) {
        join.isOver = true
        for (const [place, key] of keys.entries()) {
          if (added.includes(key)) leave(connection, key)
          // What was subscribed before stays so, and is sent all that was buffered for it.
          else settle(subscribing, { key, value: null, version: -1 }, opened[place])
        }
        throw error
      }
    },
    leave,
    leaveAll: (connection) => {
      for (const name of [...connection.subscriptions.all]) {
        const key = subscribedKey(name)
        if (key !== undefined) leave(connection, key)
      }
    },
  }
}
