/** A request for a lock, as its client saw it on the wire. */
export interface SeenRequest {
  readonly client: string
  readonly key: string
  /** Its name, unique for the client. */
  readonly request: string
  readonly sentMs: number
  /** When the client knew that it was queued. */
  queuedMs?: number
  /** When the client knew its token. */
  grantedMs?: number
  token?: number
  /** When the client knew that another client has the lock, or that it was queued behind one. */
  refusedMs?: number
  /** The grant of the same request that the client had when it lost its connection; this is the first one for the key since. */
  readonly before: { readonly token: number; readonly lostMs: number } | undefined
  /** It was sent before, on a connection that was lost, or an earlier one may be queued on this connection: it may have its place. */
  readonly continues: boolean
}

/** A grant, as its client knows it: from the reply until its end, or the end of the connection. */
export interface SeenHold {
  readonly client: string
  readonly key: string
  readonly token: number
  /** The name of the request. */
  readonly request?: string | undefined
  readonly fromMs: number
  /** Absent while the client has the lock. */
  toMs?: number
  end?: 'released' | 'lost' | 'down'
  /** The client never connected again. */
  isDead?: true
}

/** An acknowledged write that is bound to a grant. */
export interface SeenWrite {
  readonly client: string
  readonly key: string
  readonly token: number
  readonly version: number
}

/** What the clients of a run recorded since it was last read. */
export interface LockHistory {
  requests: SeenRequest[]
  holds: SeenHold[]
  writes: SeenWrite[]
  /** Bound writes that were refused with `LOCK_LOST`. */
  refusedWrites: number
  /** Refusals that no fault explains. */
  unexpected: string[]
}

/** A history without entries. */
export const emptyHistory = (): LockHistory => ({ requests: [], holds: [], writes: [], refusedWrites: 0, unexpected: [] })

/** The histories of several clients as one. */
export const joinedHistories = (parts: readonly LockHistory[]): LockHistory => ({
  requests: parts.flatMap(({ requests }) => requests),
  holds: parts.flatMap(({ holds }) => holds),
  writes: parts.flatMap(({ writes }) => writes),
  refusedWrites: parts.reduce((sum, part) => sum + part.refusedWrites, 0),
  unexpected: parts.flatMap(({ unexpected }) => unexpected),
})
