import type { Entry, StateUpdate } from '@tutti/protocol'
import type { StateChange } from '@tutti/storage-driver/contract'
import type { Connection } from '../connection/connection.ts'
import { withMember, withoutMember, type Members } from '../connection/members.ts'
import { Cursors, type Awaited, type CursorIndex, type WriteInFlight } from './connection-cursor.ts'
import type { DeliveryStep, EndReadOptions } from './delivery-step.ts'
import type { Join } from './key-joins.ts'
import { toUpdate } from './state-change.ts'

/**
 * The order of one key on this instance. Changes come in version order; while an entry is read from the store they wait, so
 * that entries and changes reach the subscribers in one order (S2, S3). It decides what is sent and sends nothing itself. A class,
 * and parts that exist only while they are needed: there is one for each key that has a subscriber here.
 */
export class KeySubscription {
  /** The newest version that was delivered to all subscribers. */
  private streamVersion = 0
  /** The newest version that was sent to any connection, in any way. */
  private newestSent = 0
  private reads = 0
  /** According to the stream the key has no value; no older change can follow. */
  private isRemoved = false
  /** Changes that wait for the end of a read. */
  private waiting: StateChange[] | undefined
  private cursors: Cursors | undefined
  /** Connections that are sent the entry that is read next. */
  private needEntry: Set<Connection> | undefined
  /** Connections whose reply cannot report the outcome of their write: they receive their own changes, too (F2). */
  private receiveOwn: Set<string> | undefined
  /** The connections that subscribe to the key itself and were sent their reply. */
  members: Members | undefined
  private readonly key: string
  private readonly index: CursorIndex

  constructor(key: string, index: CursorIndex) {
    this.key = key
    this.index = index
  }

  /** No reply is awaited, no entry is being read, and no connection needs to be remembered. */
  get isIdle(): boolean {
    return this.isSettled && this.receiveOwn === undefined
  }

  /** There is nothing to remember: the key is removed, or nothing of it was sent. */
  get isBlank(): boolean {
    return this.isRemoved || (this.streamVersion === 0 && this.newestSent === 0)
  }

  /** The version that all subscribers have, where it is one for all. */
  get commonVersion(): number | undefined {
    return this.newestSent === this.streamVersion && this.isSettled ? this.streamVersion : undefined
  }

  /** Whether the connection waits for something, or is left out of broadcasts. */
  hasCursor(connectionId: string): boolean {
    return this.cursors?.has(connectionId) === true
  }

  /** Whether all subscribers have a version that is no older. */
  isKnown(version: number): boolean {
    return version <= this.streamVersion
  }

  /** A page contains the entry, and nothing of the key was sent before. */
  startAt(version: number): void {
    this.streamVersion = version
  }

  /** A connection was sent this version in a reply. */
  noteSent(version: number): void {
    this.newestSent = Math.max(this.newestSent, version)
  }

  /** The connection is sent the entry that is read next. */
  sendNextEntryTo(connection: Connection): void {
    this.needEntry = (this.needEntry ?? new Set()).add(connection)
  }

  /** The connection's reply cannot report the outcome of its own write, which may still be applied (F2). */
  sendOwnChangesTo(connectionId: string): void {
    this.receiveOwn = (this.receiveOwn ?? new Set()).add(connectionId)
  }

  /** Whether a reply reports the change to the connection, because the connection made it. */
  isAnswered(connectionId: string, { writer }: StateChange): boolean {
    return writer === connectionId && this.receiveOwn?.has(connectionId) !== true
  }

  /** The connection is sent the changes from now on. */
  join(connection: Connection): void {
    this.members = withMember(this.members, connection)
  }

  /** A change that the store announced. It waits where an entry is being read. */
  receive(change: StateChange): DeliveryStep | undefined {
    if (this.reads > 0) return void (this.waiting ??= []).push(change)
    const { key, version, writer } = change
    if (version >= this.streamVersion) this.isRemoved = change.removed === true
    if (version <= this.streamVersion) return undefined
    const update = toUpdate(change)
    if (update === undefined) return { step: 'fetch', key, writer: writer === undefined ? undefined : { id: writer, version } }
    const except = this.take(change)
    if (writer !== undefined && this.isAnswered(writer, change)) except.push(writer)
    this.streamVersion = version
    this.noteSent(version)
    return { step: 'broadcast', update, json: change.entryJson, except }
  }

  /** Changes wait from now on, until `endRead`; reads may overlap. Returns the newest version that was sent so far. */
  beginRead(): number {
    this.reads += 1
    return this.newestSent
  }

  /**
   * The entry that was read, if it could be. It is sent where it is newer than the stream, or as a reset where it is older
   * than what was sent before the read, for then the store has lost that. `takeWaiting` must follow.
   */
  endRead(entry: Entry | undefined, { sentBefore = 0, writer }: EndReadOptions = {}): DeliveryStep | undefined {
    this.reads -= 1
    if (entry === undefined) return undefined
    const isLost = entry.version < sentBefore
    const needEntry = [...(this.needEntry ?? [])]
    this.needEntry = undefined
    if (isLost) {
      this.newestSent = entry.version
      this.cursors?.forgetSent()
    }
    this.noteSent(entry.version)
    if (isLost || entry.version > this.streamVersion) {
      const update: StateUpdate = isLost ? { ...entry, reset: true } : entry
      const except = this.take(update)
      const hasIt = writer !== undefined && writer.version === entry.version && this.receiveOwn?.has(writer.id) !== true
      if (hasIt && needEntry.every(({ id }) => id !== writer.id)) except.push(writer.id)
      this.streamVersion = entry.version
      this.isRemoved = false
      return { step: 'broadcast', update, except }
    }
    if (entry.version < this.streamVersion) return undefined
    return { step: 'send', entry, connections: needEntry.filter(({ id }) => this.cursors?.bufferFor(id, entry) !== true) }
  }

  /** The changes that waited for a read. Each is to be given to `receive`. */
  takeWaiting(): StateChange[] {
    const { waiting } = this
    this.waiting = undefined
    return waiting ?? []
  }

  /** The connection waits for the reply with the entry: changes are buffered for it. `endJoin` follows, unless it leaves. */
  beginJoin(join: Join): void {
    this.openCursors().beginJoin(join)
  }

  /** The connection was sent the entry (version -1: it was not). Returns what it missed. */
  endJoin(join: Join, entry: Entry): readonly StateChange[] {
    this.noteSent(entry.version)
    const cursors = this.openCursors()
    const mayBegin = entry.version > this.streamVersion && cursors.othersOnlyJoin && this.members === undefined
    if (mayBegin && !this.index.hasPrefixAbove(this.key)) {
      this.streamVersion = entry.version
      cursors.startJoinsAt(entry)
    }
    return this.without(cursors.endJoin(join, entry.version, this.streamVersion))
  }

  /** The connection waits for a reply or a verdict: changes are buffered for it. */
  begin(connectionId: string, awaited: Exclude<Awaited, 'verdict'>): void {
    this.openCursors().begin(connectionId, awaited)
  }

  /** The connection was sent the entry at `version` (-1: it was not). Returns what it missed. */
  end(connectionId: string, awaited: Exclude<Awaited, 'verdict'>, version: number): StateChange[] {
    this.noteSent(version)
    return this.without(this.openCursors().end(connectionId, awaited, version, this.streamVersion))
  }

  /**
   * It is not known yet whether the connection may read the key: these changes are buffered for it, and later ones. The
   * function that is returned ends that, and returns what the connection must be sent now, if it may.
   */
  awaitVerdict(connectionId: string, changes: readonly StateChange[]): () => StateChange[] {
    const cursors = this.openCursors()
    const cursor = cursors.begin(connectionId, 'verdict', changes)
    // The connection may have unsubscribed in the meantime and subscribed again.
    return () => (cursors.isCurrent(connectionId, cursor) ? this.without(cursors.end(connectionId, 'verdict', -1, this.streamVersion)) : [])
  }

  /** The connection writes: changes are buffered for it until `endWrite`. */
  beginWrite(connectionId: string): WriteInFlight {
    return this.openCursors().beginWrite(connectionId)
  }

  /** The connection has written this version (-1: none); its reply is on the way. */
  noteWritten(connectionId: string, version: number): void {
    this.noteSent(version)
    this.cursors?.noteWritten(connectionId, version)
  }

  /** The newest version that a waiting connection has written, -1: none. */
  writtenBy(connectionId: string): number {
    return this.cursors?.writtenBy(connectionId) ?? -1
  }

  /** The changes that the connection must receive before the reply that its write made `version`. */
  beforeWritten(connectionId: string, version: number): StateChange[] {
    const before = this.cursors?.beforeWritten(connectionId, version) ?? []
    return before.filter((change) => change.version < version || change.writer !== connectionId)
  }

  /** The reply to the write was sent, with that version (-1: none). Returns what the connection missed since. */
  endWrite(connectionId: string, write: WriteInFlight, version: number): StateChange[] {
    return this.without(this.cursors?.endWrite(connectionId, write, version, this.streamVersion) ?? [])
  }

  /** The connection receives the key below a prefix at most. */
  remove(connection: Connection): void {
    this.members = withoutMember(this.members, connection)
  }

  /** The connection does not subscribe to the key any more. */
  leave(connectionId: string): void {
    this.cursors?.delete(connectionId)
    this.without([])
    if (this.receiveOwn?.delete(connectionId) === true && this.receiveOwn.size === 0) this.receiveOwn = undefined
    for (const connection of this.needEntry ?? []) if (connection.id === connectionId) this.needEntry?.delete(connection)
    if (this.needEntry?.size === 0) this.needEntry = undefined
  }

  /** No reply is awaited, and no entry is being read. */
  private get isSettled(): boolean {
    return this.cursors === undefined && this.reads === 0 && this.needEntry === undefined
  }

  private take(change: StateChange): string[] {
    for (const id of this.index.joining(this.key)) this.begin(id, 'pageReply')
    return this.cursors === undefined ? [] : this.without(this.cursors.take(change))
  }

  private openCursors(): Cursors {
    return (this.cursors ??= new Cursors(this.key, this.index))
  }

  /** Keeps no empty collection of cursors. */
  private without<Result>(result: Result): Result {
    if (this.cursors?.size === 0) this.cursors = undefined
    return result
  }
}
