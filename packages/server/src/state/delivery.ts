import type { Entry, StateUpdate } from '@tutti/protocol'
import type { StateChange } from '@tutti/storage-driver/contract'
import type { Connection } from '../connection/connection.ts'
import type { Core } from '../feature.ts'
import { keyRoom } from '../connection/subscription-rooms.ts'
import { KeyReaders, type KeysToTell } from './per-key-authorization.ts'
import { Laggards } from './slow-consumers.ts'
import { toUpdate } from './subscribed-key.ts'
import type { SubscribedPrefixes } from './subscribed-prefixes.ts'

/** The keys, as delivery needs them. */
export interface KeysToDeliver extends Omit<KeysToTell, 'tell'> {
  isWatched(connection: Connection, key: string): boolean
  /** Reads the entries and tells them to the connection, in their place among the changes. */
  bring(connection: Connection, keys: readonly string[]): Promise<void>
}

/** How changes and entries reach those who watch: whatever is told of a key goes through here, page and reply apart. */
export class Delivery {
  /** Those who read too slowly (C4). */
  readonly laggards: Laggards
  /** Those who may read some keys only (X2). */
  readonly readers: KeyReaders
  private readonly core: Core
  private readonly prefixes: SubscribedPrefixes
  private readonly keys: KeysToDeliver

  constructor(core: Core, prefixes: SubscribedPrefixes, keys: KeysToDeliver) {
    this.core = core
    this.prefixes = prefixes
    this.keys = keys
    this.laggards = new Laggards(keys)
    this.readers = new KeyReaders(core, prefixes, { ...keys, tell: (connection, changes) => this.hand(connection, changes) })
  }

  /** To all who watch the key, but for those named and those who read too slowly. These hear of what takes a version back. */
  broadcast(update: StateUpdate, ids: readonly string[]): void {
    const { key, reset } = update
    const except = reset === true ? ids : [...ids, ...this.laggards.leaveOut(key)]
    const rooms = [keyRoom(key), ...this.prefixes.roomsOf(key), ...this.readers.allowedNow(update, except)]
    this.core.fanOut.emit(rooms, 'storage:updated', update, except)
  }

  /** Changes of one key, to one connection that waited for them. */
  send(connection: Connection, changes: readonly StateChange[]): void {
    const [first] = changes
    if (first !== undefined && this.readers.mayBeTold(connection, first.key, changes)) this.hand(connection, changes)
  }

  /** What came before a version that the connection is about to be told: now or never. */
  sendNow(connection: Connection, changes: readonly StateChange[]): void {
    const [first] = changes
    if (first !== undefined && this.readers.mayRead(connection, first.key) === true) this.hand(connection, changes)
  }

  /** The entry as it is, to one connection, however slow it is. */
  tell(connection: Connection, entry: Entry): void {
    if (this.readers.mayBeTold(connection, entry.key, [entry])) connection.send('storage:updated', entry)
  }

  private hand(connection: Connection, changes: readonly StateChange[]): void {
    for (const change of changes) {
      const update = toUpdate(change)
      if (this.keys.find(change.key)?.isAnswered(connection.id, change) === true) continue
      if (update?.reset !== true && this.laggards.isLeftOut(connection, change.key)) continue
      // Too much happened to be kept: it is told what there is now.
      if (update === undefined) void this.keys.bring(connection, [change.key])
      else connection.send('storage:updated', update)
    }
  }
}
