/** A connection that is a member, as its client knows it. */
export interface Membership {
  readonly client: string
  readonly room: string
  readonly id: string
  /** When the reply to the join arrived. */
  readonly fromMs: number
  /** When the connection was lost; absent while it is open. */
  toMs?: number
  /** The client was closed: its member leaves without a grace. */
  isClosed?: true
  /** When a later connection was lost before the reply to its join: it may have continued the member. */
  triedMs?: number
}

/** An observer that no longer shows a member. */
export interface SeenLeave {
  readonly observer: string
  readonly room: string
  readonly id: string
  readonly atMs: number
  /** The observer had lost its connection, and this is the first reply on the next one. */
  readonly isFirstReply: boolean
}

/** What the clients of a run recorded since it was last read. */
export interface PresenceHistory {
  memberships: Membership[]
  leaves: SeenLeave[]
}

/** What one client shows, and what it is. */
export interface PresenceView {
  readonly client: string
  readonly room: string
  /** The id of this client while its connection is a member. */
  readonly ownId: string | undefined
  /** The state of its connection and membership, for messages. */
  readonly status: string
  /** Sorted. */
  readonly ids: readonly string[]
}
