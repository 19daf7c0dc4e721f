import type { Entry } from '@tutti/protocol'
import type { StateChange } from '@tutti/storage-driver/contract'
import { SmallMap } from '../connection/small-map.ts'
import { KeyJoins, type Join } from './key-joins.ts'
import { pushBounded } from './state-change.ts'

/** It waits for a reply or a verdict. Changes are buffered, so that everything is sent in version order (S2). */
interface WaitingCursor {
  readonly state: 'waiting'
  /** The reply with the entry of the key. */
  keyReply: boolean
  /** The reply with a page that may contain the key. */
  pageReply: boolean
  /** The verdict on whether it may read the key. */
  verdict: boolean
  /** Replies to its own writes. */
  writes: number
  /** The newest version that was sent to it, -1: none. */
  sent: number
  /** The newest version that it wrote, perhaps without its reply; -1: none. */
  written: number
  /** Made for the first change: most replies come before any. */
  buffer: StateChange[] | undefined
}

/** It was sent a version that the stream of changes has not reached: broadcasts leave it out until then. */
interface AheadCursor {
  readonly state: 'ahead'
  readonly sent: number
  readonly written: number
}

type Cursor = WaitingCursor | AheadCursor

/** A write of a connection, from its begin to its reply. */
export type WriteInFlight = WaitingCursor

/** What a connection may wait for before it is sent changes, apart from its own writes. */
export type Awaited = 'keyReply' | 'pageReply' | 'verdict'

/** Knows for which connections a cursor exists, and which connections need one as soon as a key changes. */
export interface CursorIndex {
  /** The connections that requested a page which may contain the key. */
  joining(key: string): readonly string[]
  /** Whether a connection subscribes to a prefix above the key. */
  hasPrefixAbove(key: string): boolean
  add(connectionId: string, key: string): void
  delete(connectionId: string, key: string): void
}

/**
 * Where each connection is in the changes of one key, while that is not where the stream is. Replies come from the store by
 * another way than changes do. A connection must be sent its entry before any later change, and the reply to its own write
 * before any change that was made on top of it (S2). The buffers are bounded: where a reply takes long and much happens, the
 * connection is sent the entry as it is at last, like every slow consumer (C4).
 */
export class Cursors {
  /** Most keys have one connection that waits, for the time of its request. */
  private readonly cursors = new SmallMap<string, Cursor>()
  /** Only while there is no cursor. */
  private joins: KeyJoins | undefined
  private readonly key: string
  private readonly index: CursorIndex

  constructor(key: string, index: CursorIndex) {
    this.key = key
    this.index = index
  }

  get size(): number {
    return this.cursors.size + (this.joins?.size ?? 0)
  }

  has(connectionId: string): boolean {
    return this.cursors.has(connectionId)
  }

  /** Whether all others, if there are any, wait for replies with the entry and for nothing else. */
  get othersOnlyJoin(): boolean {
    // While connections join there is no cursor, and a single one is that of the connection itself.
    return this.cursors.size <= 1
  }

  /** Buffers changes for the connection until `endJoin`. */
  beginJoin(join: Join): void {
    if (this.cursors.size > 0) this.begin(join.connectionId, 'keyReply')
    else (this.joins ??= new KeyJoins()).add(join)
  }

  /** The stream begins with this entry: those that wait for their replies must have it too. */
  startJoinsAt(entry: Entry): void {
    if (this.joins !== undefined) this.joins.start = entry
  }

  /** The reply was sent, with `version` (-1: none). Returns what must be sent to the connection now. */
  endJoin({ connectionId }: Join, version: number, streamVersion: number): readonly StateChange[] {
    const { joins } = this
    if (joins === undefined || version > streamVersion) return this.end(connectionId, 'keyReply', version, streamVersion)
    return joins.end(version)
  }

  /** Buffers changes for the connection until `end`, beginning with `missed`. */
  begin(connectionId: string, awaited: Awaited, missed: readonly StateChange[] = []): WaitingCursor {
    const cursor = this.waiting(connectionId)
    cursor[awaited] = true
    for (const change of missed) pushTo(cursor, change)
    return cursor
  }

  /**
   * The connection waits for that no longer, and was sent `version` (-1: none). `streamVersion`: the newest version of the
   * stream. Returns what it must be sent now.
   */
  end(connectionId: string, awaited: Awaited, version: number, streamVersion: number): StateChange[] {
    const cursor = this.waiting(connectionId)
    cursor[awaited] = false
    return this.release(connectionId, cursor, version, streamVersion)
  }

  /** Buffers changes for a connection that writes. */
  beginWrite(connectionId: string): WriteInFlight {
    const cursor = this.waiting(connectionId)
    cursor.writes += 1
    return cursor
  }

  /** The reply to the write was sent, with `version` (-1: none). Returns what must be sent to the connection now. */
  endWrite(connectionId: string, write: WriteInFlight, version: number, streamVersion: number): StateChange[] {
    // The connection may have unsubscribed in the meantime and subscribed again.
    if (this.cursors.get(connectionId) !== write) return []
    write.writes -= 1
    return this.release(connectionId, write, version, streamVersion)
  }

  /** The connection has written this version; its reply is on the way. */
  noteWritten(connectionId: string, version: number): void {
    if (this.joins !== undefined) this.openJoins(this.joins)
    const cursor = this.cursors.get(connectionId)
    if (cursor === undefined) return
    if (cursor.state === 'waiting') cursor.written = Math.max(cursor.written, version)
    else this.cursors.set(connectionId, { ...cursor, written: Math.max(cursor.written, version) })
  }

  /** The newest version that the connection has written while it waited, -1: none. */
  writtenBy(connectionId: string): number {
    return this.cursors.get(connectionId)?.written ?? -1
  }

  /** The changes that the connection must receive before the reply that its write made `version`. */
  beforeWritten(connectionId: string, version: number): StateChange[] {
    const cursor = this.cursors.get(connectionId)
    if (cursor?.state !== 'waiting') return []
    const older = (cursor.buffer ?? []).filter((change) => change.version > cursor.sent && change.version <= version)
    for (const change of older) cursor.sent = Math.max(cursor.sent, change.version)
    // The entry that it waits for includes them.
    return cursor.keyReply || cursor.pageReply ? [] : older
  }

  /** Whether the cursor is still the one that has been waiting since then. */
  isCurrent(connectionId: string, cursor: WaitingCursor): boolean {
    return this.cursors.get(connectionId) === cursor
  }

  /** Buffers a change for the connections that wait. Returns the ids of those that a broadcast of it must leave out. */
  take(change: StateChange): string[] {
    const excluded: string[] = []
    if (this.joins !== undefined) this.openJoins(this.joins)
    this.cursors.forEach((cursor, id) => {
      switch (cursor.state) {
        case 'waiting':
          pushTo(cursor, change)
          excluded.push(id)
          break
        case 'ahead':
          if (cursor.sent >= change.version) excluded.push(id)
          if (cursor.sent <= change.version) this.delete(id)
          break
      }
    })
    return excluded
  }

  /** Buffers a change for this connection alone, if it waits. Returns whether it does. */
  bufferFor(connectionId: string, change: StateChange): boolean {
    if (this.joins !== undefined) this.openJoins(this.joins)
    const cursor = this.cursors.get(connectionId)
    if (cursor?.state !== 'waiting') return false
    if (cursor.buffer?.every(({ version }) => version < change.version) !== false) pushTo(cursor, change)
    return true
  }

  /** The store has lost what was sent in replies: versions start over. */
  forgetSent(): void {
    if (this.joins !== undefined) this.joins.start = undefined
    this.cursors.forEach((cursor, id) => {
      if (cursor.state === 'waiting') cursor.sent = -1
      else this.delete(id)
    })
  }

  delete(connectionId: string): void {
    if (this.joins !== undefined) this.openJoins(this.joins)
    if (this.cursors.delete(connectionId)) this.index.delete(connectionId, this.key)
  }

  /** Something happens to the key: each connection that joins it needs a cursor. */
  private openJoins(joins: KeyJoins): void {
    this.joins = undefined
    for (const { connectionId } of joins.waiting()) this.begin(connectionId, 'keyReply', joins.missedSince(-1))
  }

  private release(connectionId: string, cursor: WaitingCursor, version: number, streamVersion: number): StateChange[] {
    cursor.sent = Math.max(cursor.sent, version)
    if (cursor.keyReply || cursor.pageReply || cursor.verdict || cursor.writes > 0) return []
    const { sent, written } = cursor
    if (sent <= streamVersion) this.delete(connectionId)
    else this.cursors.set(connectionId, { state: 'ahead', sent, written })
    return cursor.buffer?.filter((change) => change.version > sent) ?? []
  }

  private waiting(connectionId: string): WaitingCursor {
    if (this.joins !== undefined) this.openJoins(this.joins)
    const existing = this.cursors.get(connectionId)
    if (existing?.state === 'waiting') return existing
    const { sent, written } = existing ?? { sent: -1, written: -1 }
    // One literal: there is a cursor for each key of each subscribing connection, and spreads would take most of its time.
    const cursor: WaitingCursor = {
      state: 'waiting',
      keyReply: false,
      pageReply: false,
      verdict: false,
      writes: 0,
      sent,
      written,
      buffer: undefined,
    }
    this.cursors.set(connectionId, cursor)
    if (existing === undefined) this.index.add(connectionId, this.key)
    return cursor
  }
}

const pushTo = (cursor: WaitingCursor, change: StateChange): void => pushBounded((cursor.buffer ??= []), change)
