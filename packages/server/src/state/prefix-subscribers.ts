import { compareKeys, RealtimeError, toWireError, type Entry, type EntryPage, type Requests } from '@tutti/protocol'
import type { StateStore } from '@tutti/storage-driver/contract'
import type { Verdict } from '../authorization/authorization-cache.ts'
import { noMore } from '../authorization/revocations.ts'
import type { Connection } from '../connection/connection.ts'
import type { Core } from '../feature.ts'
import { prefixOfRoom, prefixRoom } from '../connection/subscription-rooms.ts'
import type { Delivery } from './delivery.ts'
import { Listings } from './listings.ts'
import type { SubscribedKey } from './subscribed-key.ts'
import { wasListed, type SubscribedPrefixes } from './subscribed-prefixes.ts'
import type { WritesUnderWay } from './writes-under-way.ts'

/** Between two tries to read what the store could not be asked for, milliseconds. */
const RETRY_MS = 500

/** Stands for a connection; ids of sockets have no `$`. */
const REPAIR = '$repair'

/** What a client asks for. */
export type PrefixQuestion = Extract<Requests['storage:subscribe']['payload'], { prefix: string }>

/** The keys, as prefixes need them. */
export interface KeysBelow {
  open(key: string): SubscribedKey
  find(key: string): SubscribedKey | undefined
  /** Forgets the key if nobody watches it, or if it is gone. */
  collect(key: string): void
  isWatched(connection: Connection, key: string): boolean
}

/**
 * Who of this instance watches prefixes (S17). Of each prefix that is watched here, the instance knows the keys that it has
 * told: pages and changes go through the same `SubscribedKey` as those of a single key, so that they come in one order.
 */
export class PrefixSubscribers {
  private readonly core: Core
  private readonly store: Pick<StateStore, 'list' | 'read'>
  private readonly prefixes: SubscribedPrefixes
  private readonly delivery: Delivery
  private readonly keys: KeysBelow
  private readonly listings: Listings
  private retry: NodeJS.Timeout | undefined
  private isRetrying = false
  private repaired = Promise.resolve()
  private closed = false

  constructor(core: Core, store: Pick<StateStore, 'list' | 'read'>, prefixes: SubscribedPrefixes, delivery: Delivery, keys: KeysBelow) {
    this.core = core
    this.store = store
    this.prefixes = prefixes
    this.delivery = delivery
    this.keys = keys
    this.listings = new Listings(store, core.limits.maxPayloadBytes, (prefix, page) => this.learn(prefix, page))
  }

  /**
   * Counts the prefix in (throws `TOO_MANY_SUBSCRIPTIONS`) and reads a page, while what happens below it is held for the
   * connection. `settle` must follow. Gives back the entries, with those of the keys named in `versions` that are gone (C2).
   */
  async join(
    connection: Connection,
    { prefix, after, versions = {} }: PrefixQuestion,
    verdict: Verdict,
    underWay: WritesUnderWay,
  ): Promise<EntryPage> {
    const room = prefixRoom(prefix)
    const stoodBefore = connection.subscriptions.has(room)
    connection.subscriptions.add([room])
    this.prefixes.join(prefix, connection.id)
    this.delivery.readers.apply(connection, prefix, verdict)
    const isBelow = (key: string): boolean => key.startsWith(prefix)
    // Of what it was writing before, nothing was held so far; it will know of it, whatever others do to it.
    const written = stoodBefore ? [] : underWay.of(connection).filter(isBelow)
    for (const key of written) {
      this.keys.open(key).beginJoin(connection.id)
      this.prefixes.noteHeld(connection.id, key, true)
    }
    try {
      const list = (from: string | undefined): Promise<EntryPage> => {
        // A page of few readable entries may be searched for long: not for a connection that has left.
        if (!connection.connected) throw new RealtimeError('CLOSED', { message: 'The connection is gone.' })
        return this.listings.read(prefix, from)
      }
      for (;;) {
        const [{ page, isCurrent }] = await Promise.all([
          this.delivery.readers.page(connection, prefix, list, after),
          underWay.answered(connection, isBelow),
        ])
        const entries = new Map(page.entries.map((entry) => [entry.key, entry]))
        const isOfPage = (key: string): boolean =>
          (after === undefined || compareKeys(key, after) > 0) && (page.after === undefined || compareKeys(key, page.after) <= 0)
        const missing = [...Object.keys(versions).filter(isOfPage), ...written].filter((key) => !entries.has(key))
        if (missing.length > 0) for (const entry of await this.store.read(missing)) entries.set(entry.key, entry)
        await this.delivery.readers.ask(connection, prefix, missing)
        if (isCurrent() || !connection.subscriptions.has(room)) return { ...page, entries: [...entries.values()] }
      }
    } catch (error) {
      // What was subscribed before stays so, and gets all that was held for it.
      if (stoodBefore) this.settle(connection, prefix, [])
      else this.leave(connection, prefix)
      throw error
    }
  }

  /** Tells whether the connection has meanwhile been told of a newer version, which it wrote itself. */
  isOutdated({ id }: Connection, { key, version }: Entry): boolean {
    return version < (this.keys.find(key)?.writtenBy(id) ?? -1)
  }

  /** The connection was told the entries: sends what it missed meanwhile, and from now on whatever happens below the prefix. */
  settle(connection: Connection, prefix: string, entries: readonly Entry[]): void {
    if (!connection.connected) return this.leave(connection, prefix)
    if (!connection.subscriptions.has(prefixRoom(prefix))) {
      // The right to it was taken away meanwhile, and the notice of that came before the reply.
      this.leave(connection, prefix)
      return connection.send('server:revoked', { target: { prefix }, error: toWireError(noMore()) })
    }
    const { id } = connection
    const told = new Map([...(this.prefixes.get(prefix)?.members.get(id) ?? [])].map((key) => [key, -1]))
    for (const { key, version } of entries) told.set(key, version)
    this.prefixes.settle(prefix, id)
    if (this.prefixes.get(prefix)?.asked.has(id) === false) connection.join(prefixRoom(prefix))
    for (const [key, listed] of told) {
      const subscribed = this.keys.open(key)
      const version = Math.max(listed, subscribed.writtenBy(id))
      subscribed.know(version)
      if (subscribed.holds(id) || !subscribed.isKnown(version)) {
        this.delivery.send(connection, subscribed.settleJoin(id, version, false))
        this.prefixes.noteHeld(id, key, subscribed.holds(id))
      }
      if (subscribed.isBlank) this.keys.collect(key)
    }
  }

  /** The connection watches the prefix no more. */
  leave(connection: Connection, prefix: string): void {
    const room = prefixRoom(prefix)
    connection.leave(room)
    connection.subscriptions.delete(room)
    const { held, forgotten } = this.prefixes.leave(prefix, connection.id)
    for (const key of held) {
      const subscribed = this.keys.find(key)
      // What it watches by other means goes on.
      if (subscribed !== undefined && this.keys.isWatched(connection, key))
        this.delivery.send(connection, subscribed.settleJoin(connection.id, -1, false))
      else subscribed?.leave(connection.id)
      this.keys.collect(key)
    }
    for (const key of forgotten) this.keys.collect(key)
  }

  /** The connection is gone. */
  leaveAll(connection: Connection): void {
    for (const room of [...connection.subscriptions.all]) {
      const prefix = prefixOfRoom(room)
      if (prefix !== undefined) this.leave(connection, prefix)
    }
  }

  /** Tells of entries that nobody here has heard of, after something may have been missed (F3). Known keys are repaired as such. */
  repair(): Promise<void> {
    // One after the other, for they stand for one connection.
    return (this.repaired = this.repaired.then(() => this.tellAllUnknown()))
  }

  /** Reads nothing more by itself. */
  close(): void {
    this.closed = true
    clearTimeout(this.retry)
  }

  private async tellAllUnknown(): Promise<void> {
    clearTimeout(this.retry)
    try {
      for (const prefix of this.prefixes.names) await this.tellUnknown(prefix)
      this.isRetrying = false
    } catch (error) {
      // Told once for all tries.
      if (!this.isRetrying) this.core.onError(error, { stage: 'watch' })
      this.isRetrying = true
      if (!this.closed) this.retry = setTimeout(() => void this.repair(), RETRY_MS)
    }
  }

  private async tellUnknown(prefix: string): Promise<void> {
    // Of what is beyond, its members will read the pages.
    const { listedTo, listedAll } = this.prefixes.get(prefix) ?? { listedTo: '', listedAll: false }
    // What happens meanwhile is held as if for a connection, so that no page brings back what was removed.
    this.prefixes.join(prefix, REPAIR)
    try {
      let after: string | undefined
      do {
        const page = await this.listings.read(prefix, after)
        for (const entry of page.entries) {
          const subscribed = this.keys.open(entry.key)
          if (subscribed.isKnown(entry.version)) continue
          subscribed.hold()
          subscribed.resume(entry)
        }
        ;({ after } = page)
      } while (after !== undefined && (listedAll || compareKeys(after, listedTo) < 0))
    } finally {
      const { held, forgotten } = this.prefixes.leave(prefix, REPAIR)
      for (const key of held) this.keys.find(key)?.leave(REPAIR)
      for (const key of [...held, ...forgotten]) this.keys.collect(key)
    }
  }

  /** Takes note of what a page shows. An entry that nobody here can have been told of is known from now on. */
  private learn(prefix: string, { entries, after }: EntryPage): void {
    const subscribed = this.prefixes.get(prefix)
    if (subscribed === undefined) return
    for (const { key, version } of entries) {
      const isFirst = this.keys.find(key) === undefined && this.prefixes.of(key).every((other) => !wasListed(other, key))
      if (isFirst) this.keys.open(key).listed(version)
    }
    if (after === undefined) subscribed.listedAll = true
    else if (compareKeys(after, subscribed.listedTo) > 0) subscribed.listedTo = after
  }
}
