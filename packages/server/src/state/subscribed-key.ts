import type { Entry, StateUpdate } from '@tutti/protocol'
import type { StateChange } from '@tutti/storage-driver/contract'
import type { Connection } from '../connection/connection.ts'
import { HeldBack } from './held-back.ts'

/** How keys tell their subscribers: all of them, but for some; and one connection alone. */
export interface KeyOutlet {
  broadcast(update: StateUpdate, except: readonly string[]): void
  tell(connection: Connection, entry: Entry): void
  /** Asks for the newest entry: what was announced was too large to travel along (S5). `writer` knows it, at that version. */
  fetch(key: string, writer: { id: string; version: number } | undefined): void
  /** Connections that ask for a page of a prefix above the key: what happens meanwhile is held for them. */
  joining(key: string): Iterable<string>
}

/** How an entry that was read is told. */
export interface ResumeOptions {
  /** What `hold` gave before it was read. */
  toldBefore?: number
  /** Knows the entry at this version already. */
  writer?: { id: string; version: number } | undefined
}

/**
 * One key that somebody here subscribes to. Changes come in version order; while an entry is read from the store they
 * wait, so that entry and changes reach the subscribers in one order (S2, S3).
 */
export class SubscribedKey {
  private heard = 0
  /** The newest version that anybody here was told, by whatever way. */
  private told = 0
  private reads = 0
  /** The stream of changes says that the key has no value; nothing older can follow. */
  private gone = false
  private readonly waiting: StateChange[] = []
  private readonly heldBack = new HeldBack()
  /** Those who don't know what became of a write of theirs. */
  private readonly doubting = new Set<Connection>()
  /** Those whom no reply will ever tell what became of a write of theirs: they are told of their own changes too. */
  private readonly unanswered = new Set<string>()
  private readonly outlet: KeyOutlet

  constructor(outlet: KeyOutlet) {
    this.outlet = outlet
  }

  /** Nobody waits for a reply, nothing is being read, and nobody needs to be remembered. */
  get idle(): boolean {
    return this.isSettled && this.unanswered.size === 0
  }

  /** There is nothing to remember: the key is gone, or nobody was told anything of it. */
  get isBlank(): boolean {
    return this.gone || (this.heard === 0 && this.told === 0)
  }

  /** Tells whether something is held for the connection, or may leave it out. */
  holds(connectionId: string): boolean {
    return this.heldBack.has(connectionId)
  }

  /** Tells whether nobody here was told a newer version. */
  isKnown(version: number): boolean {
    return version <= this.heard
  }

  /** Nobody here was told of the key but those who have it from a page, at `version`. */
  listed(version: number): void {
    this.heard = version
  }

  /** The version that everybody here was told, where it is one for all. */
  get agreed(): number | undefined {
    return this.told === this.heard && this.isSettled ? this.heard : undefined
  }

  /** A change that the store announced. */
  hear(change: StateChange): void {
    if (this.reads > 0) this.waiting.push(change)
    else this.deliver(change)
  }

  /** Somebody here was told this version in a reply. */
  know(version: number): void {
    this.told = Math.max(this.told, version)
  }

  /** The connection will be told the entry that is read next. */
  doubt(connection: Connection): void {
    this.doubting.add(connection)
  }

  /** The connection will never know from a reply what became of a write of its own, which may yet happen (F2). */
  loseAnswer(connectionId: string): void {
    this.unanswered.add(connectionId)
  }

  /** Tells whether the connection knows of the change, because it asked for it and a reply tells it. */
  isAnswered(connectionId: string, { writer }: StateChange): boolean {
    return writer === connectionId && !this.unanswered.has(connectionId)
  }

  /** Changes wait from now on, until `resume`; may be called again before that. Gives back the newest version told so far. */
  hold(): number {
    this.reads += 1
    return this.told
  }

  /**
   * The entry that was read, if it could be: told when it is newer than what was heard, or as a reset when it is older
   * than what was told before it was read, for then the store has lost that. Then come the changes that waited.
   */
  resume(entry: Entry | undefined, { toldBefore = 0, writer }: ResumeOptions = {}): void {
    this.reads -= 1
    if (entry !== undefined) this.tell(entry, entry.version < toldBefore, writer)
    // Where another entry is still being read, they go on waiting.
    for (const change of this.waiting.splice(0)) this.hear(change)
  }

  /** A connection asks for the entry: what happens from now on is held for it. */
  beginJoin(connectionId: string): void {
    this.heldBack.beginJoin(connectionId)
  }

  /** The connection was told the entry at `version`: gives back what it missed since. `alone`: nobody else listens yet. */
  settleJoin(connectionId: string, version: number, alone: boolean): StateChange[] {
    this.know(version)
    if (alone && this.heldBack.size <= 1) this.heard = Math.max(this.heard, version)
    return this.heldBack.endJoin(connectionId, version, this.heard)
  }

  /** A connection has written this version (-1: none); its reply is on the way. */
  noteWritten(connectionId: string, version: number): void {
    this.know(version)
    this.heldBack.noteWritten(connectionId, version)
  }

  /** The newest version that a connection which waits for a reply has written meanwhile, -1 for none. */
  writtenBy(connectionId: string): number {
    return this.heldBack.writtenBy(connectionId)
  }

  /**
   * A connection writes: what happens from now on is held for it. The function that is given back says that it was told what
   * became of its write, and the version (-1: none), and gives back what it missed since.
   */
  beginWrite(connectionId: string): (version: number) => StateChange[] {
    const endWrite = this.heldBack.beginWrite(connectionId)
    return (version) => endWrite(version, this.heard)
  }

  /** What the connection must be sent before it is told that it wrote `version`. */
  beforeWritten(connectionId: string, version: number): StateChange[] {
    const before = this.heldBack.beforeWritten(connectionId, version)
    return before.filter((change) => change.version < version || change.writer !== connectionId)
  }

  /**
   * Nobody has said yet whether the connection may know of the key: the changes are held for it, and what follows. The
   * function that is given back says that this is known, and gives back what it must be sent now, if it may.
   */
  beginAsk(connectionId: string, changes: readonly StateChange[]): () => StateChange[] {
    const endAsk = this.heldBack.beginAsk(connectionId, changes)
    return () => endAsk(this.heard)
  }

  leave(connectionId: string): void {
    this.heldBack.delete(connectionId)
    this.unanswered.delete(connectionId)
    for (const connection of this.doubting) if (connection.id === connectionId) this.doubting.delete(connection)
  }

  /** Nobody waits for a reply, and nothing is being read. */
  private get isSettled(): boolean {
    return this.heldBack.size === 0 && this.reads === 0 && this.doubting.size === 0
  }

  /** Gives it to those who wait for a reply, and back the ids of those whom the others' broadcast must leave out. */
  private take(change: StateChange): string[] {
    for (const id of this.outlet.joining(change.key)) this.heldBack.beginJoin(id)
    return this.heldBack.take(change)
  }

  private tell(entry: Entry, lost: boolean, writer: ResumeOptions['writer']): void {
    const doubting = [...this.doubting]
    this.doubting.clear()
    if (lost) {
      this.told = entry.version
      this.heldBack.forgetTold()
    }
    this.know(entry.version)
    if (lost || entry.version > this.heard) {
      const update: StateUpdate = lost ? { ...entry, reset: true } : entry
      const except = this.take(update)
      if (writer?.version === entry.version && doubting.every(({ id }) => id !== writer.id) && !this.unanswered.has(writer.id))
        except.push(writer.id)
      this.heard = entry.version
      this.gone = false
      this.outlet.broadcast(update, except)
    } else if (entry.version === this.heard) {
      for (const connection of doubting) if (!this.heldBack.holdFor(connection.id, entry)) this.outlet.tell(connection, entry)
    }
  }

  private deliver(change: StateChange): void {
    if (change.version >= this.heard) this.gone = change.removed === true
    if (change.version <= this.heard) return
    const update = toUpdate(change)
    if (update === undefined)
      return this.outlet.fetch(change.key, change.writer === undefined ? undefined : { id: change.writer, version: change.version })
    const except = this.take(change)
    if (change.writer !== undefined && this.isAnswered(change.writer, change)) except.push(change.writer)
    this.heard = change.version
    this.know(change.version)
    this.outlet.broadcast(update, except)
  }
}

/** A change as clients are told of it, or `undefined` where the value did not travel along. */
export function toUpdate(change: StateChange & Pick<StateUpdate, 'reset'>): StateUpdate | undefined {
  const { key, version, base, patch, value, removed } = change
  const reset = change.reset === true ? { reset: change.reset } : {}
  if (removed === true) return { key, version, removed, ...reset }
  if (value !== undefined) return { key, version, value, ...reset }
  return patch === undefined || base === undefined ? undefined : { key, version, base, patch }
}
