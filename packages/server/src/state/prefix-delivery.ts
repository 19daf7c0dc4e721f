import { RealtimeError, toWireError, type Entry, type EntryPage, type Requests } from '@tutti/protocol'
import { compareKeys } from '@tutti/protocol/internal'
import type { Verdict } from '../authorization/authorization-cache.ts'
import { revokedError } from '../authorization/revocations.ts'
import type { Connection } from '../connection/connection.ts'
import { PlacedReply } from '../connection/handler.ts'
import { prefixOfRoom, prefixRoom } from '../connection/subscription-names.ts'
import type { Audience } from './audience.ts'
import type { InFlightWrites } from './in-flight-writes.ts'
import type { SharedPages } from './shared-pages.ts'
import type { SharedReads } from './shared-reads.ts'
import type { SubscriptionRegistry } from './subscription-registry.ts'

/** What a client requests. */
export type PrefixRequest = Extract<Requests['storage:subscribe']['payload'], { prefix: string }>

/** Subscriptions to prefixes (S17). */
export interface PrefixDelivery {
  /**
   * Subscribes to the prefix (throws `TOO_MANY_SUBSCRIPTIONS`) and reads a page, while changes below it are buffered for the
   * connection. The reply has the entries that differ from the versions the client names, also of keys that are gone (C2).
   */
  subscribe(connection: Connection, request: PrefixRequest, verdict: Verdict): Promise<PlacedReply<EntryPage>>
  /** The connection leaves the prefix. */
  leave(connection: Connection, prefix: string): void
  /** The connection is closed. */
  leaveAll(connection: Connection): void
}

/** What the delivery of prefixes is made of. */
export interface PrefixDeliveryOptions {
  readonly registry: SubscriptionRegistry
  readonly audience: Audience
  readonly pages: SharedPages
  readonly reads: SharedReads
  readonly inFlight: InFlightWrites
  /** Reads entries and sends them to the connection, in their place among the changes. */
  sendEntries(connection: Connection, keys: readonly string[]): Promise<void>
}

/**
 * Makes the subscriptions to prefixes of one instance. Of each prefix the instance knows the keys of which it has sent
 * anything: pages and changes go through the same `KeySubscription` as those of a single key, so that they have one order.
 */
export function createPrefixDelivery({ registry, audience, pages, reads, inFlight, sendEntries }: PrefixDeliveryOptions): PrefixDelivery {
  const { prefixes } = registry
  const { perKey } = audience

  /** A page of what the connection may read, with the entries of keys that it names or wrote and that are not in it. */
  const readPage = async (connection: Connection, request: PrefixRequest, written: readonly string[]): Promise<EntryPage> => {
    const { prefix, after, versions = {} } = request
    const list = (from: string | undefined): Promise<EntryPage> => {
      // The search for a page of few readable entries may be long: not for a connection that has left.
      if (!connection.connected) throw new RealtimeError('CLOSED', { message: 'The connection was closed before the request completed.' })
      return pages.read(prefix, from)
    }
    for (;;) {
      const { page, isCurrent } = await perKey.page(connection, prefix, list, after)
      const entries = new Map(page.entries.map((entry) => [entry.key, entry]))
      const isOfPage = (key: string): boolean =>
        (after === undefined || compareKeys(key, after) > 0) && (page.after === undefined || compareKeys(key, page.after) <= 0)
      const missing = [...Object.keys(versions).filter(isOfPage), ...written].filter((key) => !entries.has(key))
      if (missing.length > 0) for (const entry of await reads.read(missing)) entries.set(entry.key, entry)
      await perKey.authorizeAll(connection, prefix, missing)
      // Also of writes that began after the request: the page may have been read after them.
      await inFlight.replied(connection, (key) => key.startsWith(prefix))
      if (isCurrent() || !connection.subscriptions.has(prefixRoom(prefix))) return { ...page, entries: [...entries.values()] }
    }
  }

  /** Decides what of the page the reply contains when it is sent, and sends afterwards what happened meanwhile. */
  const placedReply = (connection: Connection, { prefix, versions = {} }: PrefixRequest, page: EntryPage): PlacedReply<EntryPage> => {
    // The right to the prefix may have been taken away while the page was read: then its last key is not named either.
    const isSubscribed = (): boolean => connection.subscriptions.has(prefixRoom(prefix))
    const reply: EntryPage = isSubscribed() ? { ...page, entries: [] } : { entries: [] }
    let readable: Entry[] = []
    let undecided: string[] = []
    const differs = ({ key, version }: Entry): boolean =>
      version !== versions[key] && version >= (registry.find(key)?.writtenBy(connection.id) ?? -1)
    return new PlacedReply(reply, {
      // Only now is known what it was sent of its own writes, whose replies come by another way, and what it may read.
      before: () => {
        if (!isSubscribed()) return
        const may = new Map(page.entries.map(({ key }) => [key, perKey.mayRead(connection, key)]))
        readable = page.entries.filter(({ key }) => may.get(key) === true)
        undecided = page.entries.filter((entry) => may.get(entry.key) === undefined && differs(entry)).map(({ key }) => key)
        reply.entries.push(...readable.filter(differs))
      },
      after: () => {
        settle(connection, prefix, readable)
        // Their verdicts have ended since they were authorized.
        if (undecided.length > 0) void sendEntries(connection, undecided)
      },
    })
  }

  /** The connection was sent the entries: sends what it missed meanwhile, and from now on every change below the prefix. */
  const settle = (connection: Connection, prefix: string, entries: readonly Entry[]): void => {
    if (!connection.connected) return leave(connection, prefix)
    if (!connection.subscriptions.has(prefixRoom(prefix))) {
      // The right to it was taken away meanwhile, and the notice of that came before the reply.
      leave(connection, prefix)
      return connection.send('server:revoked', { target: { prefix }, error: toWireError(revokedError()) })
    }
    const { id } = connection
    const sent = new Map(registry.cursorsBelow(id, prefix).map((key) => [key, -1]))
    for (const { key, version } of entries) sent.set(key, version)
    prefixes.endJoin(prefix, id)
    if (prefixes.get(prefix)?.perKey.has(id) === false) connection.join(prefixRoom(prefix))
    for (const [key, listed] of sent) {
      const subscription = registry.open(key)
      const version = Math.max(listed, subscription.writtenBy(id))
      subscription.noteSent(version)
      if (subscription.hasCursor(id) || !subscription.isKnown(version))
        audience.sendChanges(connection, subscription.end(id, 'pageReply', version))
      if (subscription.isBlank) registry.collect(key)
    }
  }

  const leave = (connection: Connection, prefix: string): void => {
    const room = prefixRoom(prefix)
    connection.leave(room)
    connection.subscriptions.delete(room)
    const withCursor = registry.cursorsBelow(connection.id, prefix)
    const forgotten = prefixes.leave(prefix, connection.id)
    for (const key of withCursor) {
      const subscription = registry.find(key)
      // Other subscriptions to the key remain.
      if (subscription !== undefined && registry.isSubscribed(connection, key))
        audience.sendChanges(connection, subscription.end(connection.id, 'pageReply', -1))
      else subscription?.leave(connection.id)
      registry.collect(key)
    }
    for (const key of forgotten) registry.collect(key)
  }

  return {
    subscribe: async (connection, request, verdict) => {
      const { prefix } = request
      const wasSubscribed = connection.subscriptions.has(prefixRoom(prefix))
      connection.subscriptions.add([prefixRoom(prefix)])
      prefixes.join(prefix, connection.id)
      perKey.apply(connection, prefix, verdict)
      // For writes that began before, no changes were buffered so far; the connection will know these keys.
      const written = wasSubscribed ? [] : inFlight.keysOf(connection).filter((key) => key.startsWith(prefix))
      for (const key of written) registry.open(key).begin(connection.id, 'pageReply')
      try {
        return placedReply(connection, request, await readPage(connection, request, written))
      } catch (error) {
        // What was subscribed before stays so, and is sent all that was buffered for it.
        if (wasSubscribed) settle(connection, prefix, [])
        else leave(connection, prefix)
        throw error
      }
    },
    leave,
    leaveAll: (connection) => {
      for (const room of [...connection.subscriptions.all]) {
        const prefix = prefixOfRoom(room)
        if (prefix !== undefined) leave(connection, prefix)
      }
    },
  }
}
