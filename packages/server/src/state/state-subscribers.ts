import { toWireError, type Entry } from '@tutti/protocol'
import { noMore } from '../authorization/revocations.ts'
import type { StateChange, StateStore } from '@tutti/storage-driver/contract'
import type { Connection } from '../connection/connection.ts'
import type { Core } from '../feature.ts'
import { keyOfRoom, keyRoom } from '../connection/subscription-rooms.ts'
import { EntryReader, type KeysToRead } from './entry-reader.ts'
import { Delivery, type KeysToDeliver } from './delivery.ts'
import { PrefixSubscribers, type KeysBelow } from './prefix-subscribers.ts'
import { createSharedReads, type SharedReads } from './shared-reads.ts'
import { SubscribedKey, type KeyOutlet } from './subscribed-key.ts'
import { SubscribedPrefixes } from './subscribed-prefixes.ts'

/** Reads for one subscription at most; a store that has lost data can't show what was written before. */
const MAX_READS = 5

/** Who of this instance watches which key, and what they are told. Keys that nobody here watches cost nothing. */
export class StateSubscribers {
  private readonly keys = new Map<string, SubscribedKey>()
  private readonly prefixes = new SubscribedPrefixes()
  private readonly core: Core
  private readonly reader: EntryReader
  private readonly outlet: KeyOutlet
  /** Reads of entries for connections. */
  readonly reads: SharedReads
  /** Those who watch all that is below a prefix (S17). */
  readonly ofPrefixes: PrefixSubscribers
  /** How they are told. */
  readonly delivery: Delivery

  constructor(core: Core, store: StateStore) {
    this.core = core
    // The keys, as each part needs them.
    const keys: KeysToRead & KeysToDeliver & KeysBelow = {
      open: (key) => this.open(key),
      has: (key) => this.keys.has(key),
      find: (key) => this.keys.get(key),
      collect: (key) => this.collect(key),
      isWatched: (connection, key) => this.isWatched(connection, key),
      bring: (connection, changed) => this.bring(connection, changed),
    }
    this.reads = createSharedReads(store)
    this.reader = new EntryReader(store, core.onError, keys)
    this.delivery = new Delivery(core, this.prefixes, keys)
    this.outlet = {
      broadcast: (update, except) => this.delivery.broadcast(update, except),
      tell: (connection, entry) => this.delivery.tell(connection, entry),
      fetch: (key, writer) => void this.reader.refresh([key], writer),
      joining: (key) => this.prefixes.joining(key),
    }
    this.ofPrefixes = new PrefixSubscribers(
      core,
      { list: (prefix, after) => store.list(prefix, after), read: this.reads.read },
      this.prefixes,
      this.delivery,
      keys,
    )
  }

  /** Passes on a change that the store announced. */
  hear(change: StateChange): void {
    const { key, removed } = change
    const subscribed = this.prefixes.of(key).length > 0 ? this.open(key) : this.keys.get(key)
    subscribed?.hear(change)
    if (removed === true) this.collect(key)
  }

  /**
   * Counts the keys in (throws `TOO_MANY_SUBSCRIPTIONS`) and reads their entries, while what happens to them is held for
   * the connection. `settle` or `leave` must follow.
   */
  async join(connection: Connection, keys: readonly string[], read: () => Promise<Entry[]>): Promise<Entry[]> {
    const held = new Set(keys.filter((key) => connection.subscriptions.has(keyRoom(key))))
    connection.subscriptions.add(keys.map(keyRoom))
    for (const key of keys) this.open(key).beginJoin(connection.id)
    try {
      // A write of its own that was answered meanwhile may be newer than what was read.
      for (let rest = MAX_READS; ; rest -= 1) {
        const entries = await read()
        const isStale = entries.some(({ key, version }) => version < (this.keys.get(key)?.writtenBy(connection.id) ?? -1))
        if (!isStale || rest === 1) return entries
      }
    } catch (error) {
      // What was subscribed before stays so, and gets all that was held for it.
      for (const key of keys) {
        if (held.has(key)) this.settle(connection, { key, version: -1 })
        else this.leave(connection, key)
      }
      throw error
    }
  }

  /** The connection was told the entry: sends what it missed meanwhile, and from now on whatever happens. */
  settle(connection: Connection, { key, version }: Pick<Entry, 'key' | 'version'>): void {
    const room = keyRoom(key)
    if (!connection.connected) return this.leave(connection, key)
    if (!connection.subscriptions.has(room)) {
      // The right to it was taken away meanwhile, and the notice of that came before the reply.
      this.leave(connection, key)
      return connection.send('server:revoked', { target: { key }, error: toWireError(noMore()) })
    }
    const alone = !this.core.fanOut.isHeard([room]) && this.prefixes.of(key).length === 0
    connection.join(room)
    this.delivery.send(connection, this.open(key).settleJoin(connection.id, version, alone))
  }

  /**
   * The connection writes: what others change meanwhile waits for its reply. The function that is given back says that it
   * has it, and which version it was told (-1: none).
   */
  beginWrite(connection: Connection, key: string): (version: number) => void {
    if (!this.isWatched(connection, key)) return () => {}
    const { id } = connection
    const subscribed = this.open(key)
    const endWrite = subscribed.beginWrite(id)
    this.prefixes.noteHeld(id, key, true)
    if (this.prefixes.isJoining(id, key)) subscribed.beginJoin(id)
    return (version) => {
      this.delivery.send(connection, endWrite(version))
      this.prefixes.noteHeld(id, key, subscribed.holds(id))
      this.collect(key)
    }
  }

  /** The connection will be told that version (-1: none) in a reply. */
  noteWritten(connection: Connection, key: string, version: number): void {
    this.keys.get(key)?.noteWritten(connection.id, version)
  }

  /** The connection is about to be told that version: sends what came before it. */
  tellBefore(connection: Connection, key: string, version: number): void {
    const subscribed = this.keys.get(key)
    if (subscribed !== undefined) this.delivery.sendNow(connection, subscribed.beforeWritten(connection.id, version))
  }

  /** The connection watches the key no more. */
  leave(connection: Connection, key: string): void {
    const room = keyRoom(key)
    connection.leave(room)
    connection.subscriptions.delete(room)
    const subscribed = this.keys.get(key)
    // What a prefix brings goes on.
    if (subscribed !== undefined && this.prefixes.isMember(connection.id, key))
      this.delivery.send(connection, subscribed.settleJoin(connection.id, -1, false))
    else subscribed?.leave(connection.id)
    this.collect(key)
  }

  /** The connection is gone. */
  leaveAll(connection: Connection): void {
    this.delivery.laggards.delete(connection)
    this.ofPrefixes.leaveAll(connection)
    for (const room of [...connection.subscriptions.all]) {
      const key = keyOfRoom(room)
      if (key !== undefined) this.leave(connection, key)
    }
  }

  /** Tells whether anybody here watches the key, or is about to. */
  isWatchedHere(key: string): boolean {
    return this.keys.has(key) || this.prefixes.of(key).length > 0
  }

  /** Somebody here was told this version of the key in a reply. */
  know(key: string, version: number): void {
    this.keys.get(key)?.know(version)
  }

  /** Once the store can be read again, the connection will be sent the key's entry. */
  leaveInDoubt(connection: Connection, key: string): void {
    if (this.isWatched(connection, key)) this.open(key).doubt(connection)
  }

  /** No reply will tell the connection what became of a write of its own: it is told of its own changes of the key from now on (F2). */
  loseAnswer(connection: Connection, key: string): void {
    if (this.isWatched(connection, key)) this.open(key).loseAnswer(connection.id)
  }

  /** Compares what was told here with the store, after something may have been missed, and tells what differs (S3, F3). */
  async repair(): Promise<void> {
    await this.reader.refresh([...this.keys.keys()])
    await this.ofPrefixes.repair()
  }

  /** The keys that somebody here watches. */
  get watched(): string[] {
    return [...this.keys.keys()]
  }

  /** The version of a key that everybody here was told, where it is one for all. */
  agreedVersion(key: string): number | undefined {
    return this.keys.get(key)?.agreed
  }

  /** Reads these entries and tells what differs from what was told. */
  async repairKeys(keys: readonly string[]): Promise<void> {
    await this.reader.refresh(keys.filter((key) => this.keys.has(key)))
  }

  /** Reads nothing more by itself. */
  close(): void {
    this.reader.close()
    this.ofPrefixes.close()
  }

  /** Reads the entries and tells them to the connection, in their place among the changes. */
  async bring(connection: Connection, keys: readonly string[]): Promise<void> {
    for (const key of keys) this.leaveInDoubt(connection, key)
    await this.reader.refresh(keys)
  }

  private open(key: string): SubscribedKey {
    const existing = this.keys.get(key)
    if (existing !== undefined) return existing
    const opened = new SubscribedKey(this.outlet)
    this.keys.set(key, opened)
    for (const { keys } of this.prefixes.of(key)) keys.add(key)
    return opened
  }

  private isWatched(connection: Connection, key: string): boolean {
    return connection.subscriptions.has(keyRoom(key)) || this.prefixes.isMember(connection.id, key)
  }

  /** Forgets a key that nobody here watches, or that is gone and watched by prefix only. */
  private collect(key: string): void {
    const subscribed = this.keys.get(key)
    if (subscribed?.idle !== true || this.core.fanOut.isHeard([keyRoom(key)])) return
    const prefixes = this.prefixes.of(key)
    const keep = !subscribed.isBlank && prefixes.length > 0
    if (!keep) this.keys.delete(key)
    for (const { keys } of prefixes) {
      if (keep) keys.add(key)
      else keys.delete(key)
    }
  }
}
