import type { Observable } from '../observable.ts'

/** One client in a room, with its info. Immutable; the same object as long as nothing of it differs. */
export interface PresenceMember<Info> {
  /** Names the member as long as it stays, also across reconnects. */
  readonly id: string
  /** Id of the user; '' without one. */
  readonly user: string
  readonly info: Info
  /** It is this client. */
  readonly isMe: boolean
}

/** What is known of a room. Immutable: each change makes another object. */
export interface PresenceSnapshot<Info> {
  /** In the order in which they joined. Empty with `count: true`. */
  readonly members: readonly PresenceMember<Info>[]
  /** The number of members; it may be greater than that of `members`. */
  readonly count: number
  /** The server has not yet replied. */
  readonly loading: boolean
  /** This client is a member. */
  readonly joined: boolean
  /** Why the room cannot be joined or observed. */
  readonly error: Error | undefined
}

/** The newest cursor of another member. */
export interface PresenceCursor<Info, Data> {
  readonly member: PresenceMember<Info>
  readonly data: Data
  /** When it was received, milliseconds since 1970 by the clock of this client. */
  readonly movedAt: number
}

/** The cursors of the other members of a room. */
export interface PresenceCursors<Info, Data> extends Observable<readonly PresenceCursor<Info, Data>[]> {
  /**
   * Shows the cursor of this client to the others: any JSON, for example `{ x, y }`; null removes it. At most one message each 50 ms
   * is sent, with the newest value. Cursors are not stored and may be lost. Has no effect while this client is not a member.
   */
  set(data: Data | null): void
}

/** How a room is used. */
export interface PresenceOptions<Info> {
  /** Joins the room with this info: any JSON. Without it the room is observed, until `join()`. */
  info?: Info | undefined
  /**
   * Receive the number of members only, at most once a second: for rooms with very many members.
   *
   * @default false
   */
  count?: boolean | undefined
}

/** The presence of one room. All handles of a client on a room are one member: the last `leave` ends it, and the info that was set last applies. */
export interface Presence<Info, Data> extends Observable<PresenceSnapshot<Info>> {
  readonly room: string
  /** The cursors of the other members. */
  readonly cursors: PresenceCursors<Info, Data>
  /** Makes this client a member, also after reconnects. Without `info`, it keeps the info that was set last, initially null. */
  join(info?: Info): void
  /** Changes the info of this client, if it is a member or about to be. */
  update(info: Info): void
  leave(): void
  /** Leaves the room and ends the subscription, unless another handle continues. */
  dispose(): void
}
