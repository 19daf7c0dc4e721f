import { RealtimeError, type Entry, type ErrorCode } from '@tutti/protocol'
import type { StateChange, StateStore } from '@tutti/storage-driver/contract'
import type { Connection } from '../connection.ts'
import type { Core } from '../feature.ts'
import { keyOfRoom, keyRoom } from '../inner-rooms.ts'
import { SubscribedKey, toUpdate, type ResumeOptions } from './subscribed-key.ts'

const REPAIR_BATCH = 500

/** Reads for one subscription at most; a store that has lost data can't show what was written before. */
const MAX_READS = 5

/** Between two tries to read what the store could not be asked for, milliseconds. */
const RETRY_MS = 500

/** Failures of the connection to the store, which may pass without a gap: while its circuit breaker is open, say. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'OUTCOME_UNKNOWN'])

/** Who of this instance watches which key, and what they are told. Keys that nobody here watches cost nothing. */
export class StateSubscribers {
  private readonly keys = new Map<string, SubscribedKey>()
  /** Keys that are to be read as soon as the store answers. */
  private readonly unread = new Set<string>()
  private retry: NodeJS.Timeout | undefined
  private closed = false
  private readonly core: Core
  private readonly store: StateStore

  constructor(core: Core, store: StateStore) {
    this.core = core
    this.store = store
  }

  /** Passes on a change that the store announced. */
  hear(change: StateChange): void {
    this.keys.get(change.key)?.hear(change)
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
        if (held.has(key)) this.settle(connection, { key, version: -1, removed: true })
        else this.leave(connection, key)
      }
      throw error
    }
  }

  /** The connection was told the entry: sends what it missed meanwhile, and from now on whatever happens. */
  settle(connection: Connection, { key, version }: Entry): void {
    if (!connection.connected) return this.leave(connection, key)
    const room = keyRoom(key)
    const alone = !this.core.fanOut.isHeard([room])
    connection.join(room)
    this.send(connection, this.open(key).settleJoin(connection.id, version, alone))
  }

  /**
   * The connection writes: what others change meanwhile waits for its reply. The function that is given back says that it
   * has it, and which version it was told (-1: none).
   */
  beginWrite(connection: Connection, key: string): (version: number) => void {
    if (!connection.subscriptions.has(keyRoom(key))) return () => {}
    this.keys.get(key)?.beginWrite(connection.id)
    return (version) => {
      const subscribed = this.keys.get(key)
      if (subscribed !== undefined) this.send(connection, subscribed.endWrite(connection.id, version))
    }
  }

  /** The connection will be told that version (-1: none) in a reply. */
  noteWritten(connection: Connection, key: string, version: number): void {
    this.keys.get(key)?.noteWritten(connection.id, version)
  }

  /** The connection is about to be told that version: sends what came before it. */
  tellBefore(connection: Connection, key: string, version: number): void {
    const subscribed = this.keys.get(key)
    if (subscribed !== undefined) this.send(connection, subscribed.beforeWritten(connection.id, version))
  }

  /** The connection watches the key no more. */
  leave(connection: Connection, key: string): void {
    const room = keyRoom(key)
    connection.leave(room)
    connection.subscriptions.delete(room)
    this.keys.get(key)?.leave(connection.id)
    this.collect(key)
  }

  /** The connection is gone. */
  leaveAll(connection: Connection): void {
    for (const room of [...connection.subscriptions.all]) {
      const key = keyOfRoom(room)
      if (key !== undefined) this.leave(connection, key)
    }
  }

  /** Somebody here was told this version of the key in a reply. */
  know(key: string, version: number): void {
    this.keys.get(key)?.know(version)
  }

  /** Once the store can be read again, the connection will be sent the key's entry. */
  leaveInDoubt(connection: Connection, key: string): void {
    if (connection.subscriptions.has(keyRoom(key))) this.keys.get(key)?.doubt(connection)
  }

  /** Compares what was told here with the store, after something may have been missed, and tells what differs (S3, F3). */
  async repair(): Promise<void> {
    await this.refresh([...this.keys.keys()])
  }

  /** Reads nothing more by itself. */
  close(): void {
    this.closed = true
    clearTimeout(this.retry)
  }

  private open(key: string): SubscribedKey {
    const existing = this.keys.get(key)
    if (existing !== undefined) return existing
    const opened = new SubscribedKey({
      broadcast: (update, except) => this.core.fanOut.emit([keyRoom(key)], 'storage:updated', update, except),
      fetch: (writer) => void this.refresh([key], writer),
    })
    this.keys.set(key, opened)
    return opened
  }

  private send(connection: Connection, changes: readonly StateChange[]): void {
    for (const change of changes) {
      const update = toUpdate(change)
      if (update !== undefined && change.writer !== connection.id) connection.send('storage:updated', update)
    }
  }

  /** Forgets a key that nobody here watches. */
  private collect(key: string): void {
    if (this.keys.get(key)?.idle === true && !this.core.fanOut.isHeard([keyRoom(key)])) this.keys.delete(key)
  }

  /** Rereads, however many they are; what the store can't answer now, later. */
  private async refresh(keys: readonly string[], writer?: ResumeOptions['writer']): Promise<void> {
    for (let start = 0; start < keys.length; start += REPAIR_BATCH) {
      const batch = keys.slice(start, start + REPAIR_BATCH)
      await this.reread(batch, writer).catch((error: unknown) => this.failed(batch, error))
    }
  }

  private async failed(keys: readonly string[], error: unknown): Promise<void> {
    if (error instanceof RealtimeError && PASSING.has(error.code)) {
      // Told once for all that wait.
      if (this.retry === undefined) this.report(keys, error)
      for (const key of keys) this.unread.add(key)
      this.retry ??= this.plan()
    } else if (keys.length > 1) {
      // One bad key must not keep the others from being read.
      for (const key of keys) await this.refresh([key])
    } else this.report(keys, error)
  }

  private async readAgain(): Promise<void> {
    const keys = [...this.unread].filter((key) => this.keys.has(key))
    this.unread.clear()
    await this.refresh(keys)
    this.retry = this.unread.size > 0 ? this.plan() : undefined
  }

  private plan(): NodeJS.Timeout | undefined {
    return this.closed ? undefined : setTimeout(() => void this.readAgain(), RETRY_MS)
  }

  private report([subject]: readonly string[], error: unknown): void {
    this.core.onError(error, { stage: 'watch', ...(subject === undefined ? {} : { subject }) })
  }

  private async reread(keys: readonly string[], writer?: ResumeOptions['writer']): Promise<void> {
    const held = keys.map((key) => this.open(key)).map((subscribed) => ({ subscribed, toldBefore: subscribed.hold() }))
    let entries: Entry[] = []
    try {
      entries = await this.store.read(keys)
    } finally {
      for (const [index, { subscribed, toldBefore }] of held.entries()) subscribed.resume(entries[index], { toldBefore, writer })
      for (const key of keys) this.collect(key)
    }
  }
}
