import type { JsonValue } from '@tutti/protocol'

/** A signed-in user: the result of `authenticate`. */
export interface User {
  /** Names the user; not empty. */
  readonly id: string
  /**
   * When the sign-in ends, milliseconds since 1970: the connection then ends too, so that the client reconnects with new
   * credentials.
   */
  readonly expiresAt?: number
}

/**
 * The actions that are authorized, with their targets. A feature with a new action adds a line here. Subscribing is authorized
 * like reading, because a subscriber receives the values; a pattern (`chat:*`) and a prefix (`todos:`) have separate fields, so
 * that a check of a single name never matches them.
 */
export interface Actions {
  /** `storage:get` and `storage:subscribe`. */
  'state:read': { key: string } | { prefix: string }
  /** `storage:set`, `:remove`, `:increment` and `:patch`. */
  'state:write': { key: string }
  /** `event:subscribe`. */
  'event:subscribe': { channel: string } | { pattern: string }
  /** `event:publish`. */
  'event:publish': { channel: string }
  /** `presence:subscribe`: the members of a room, or their number. */
  'presence:read': { room: string }
  /** `presence:join`, `presence:update` and `presence:cursor`. */
  'presence:join': { room: string }
  /** `room:join`: to be in a room, which receives messages of server code. */
  'room:join': { room: string }
  /** `document:open`. */
  'document:read': { document: string }
  /** `document:update`. */
  'document:write': { document: string }
  /** `lock:subscribe`: the holders of locks. */
  'lock:read': { key: string } | { prefix: string }
  /** `lock:acquire`. */
  'lock:acquire': { key: string }
  /** `lock:release` with `force`: to end the lock of any holder. */
  'lock:force': { key: string }
}

/** The name of an action. */
export type Action = keyof Actions

/** One requested access of a client. */
export type Access = {
  [Name in Action]: {
    readonly action: Name
    readonly target: Readonly<Actions[Name]>
    /** The data of the request: the value that is set, the patch, the number to add, or the data of the event. */
    readonly value?: JsonValue
  }
}[Action]

/** The argument of `authorize`. */
export type AuthorizeRequest<U extends User = User> = Access & {
  /** The result of `authenticate`; null if the server has no `authenticate`. */
  readonly user: U | null
  readonly connection: {
    readonly id: string
    /** The client's own ID. It proves nothing: any client can send it. */
    readonly clientId: string | undefined
  }
}

/**
 * True, false, or for a pattern or prefix `'each'`: its channels or keys are authorized one by one, before any of their changes are
 * delivered. `forMs` specifies how long this instance may remember the answer for this connection, milliseconds. Without it,
 * writing and publishing are authorized each time; for other actions a yes is remembered until the connection ends or the right
 * is revoked, a no for 5 s.
 */
export type Decision = boolean | 'each' | { readonly allow: boolean | 'each'; readonly forMs?: number }

/**
 * Decides whether a user may do something. A thrown error is a refusal too: a `RealtimeError` with its own code (for example
 * `UNAVAILABLE` while the user database is down), anything else as `INTERNAL`.
 */
export type Authorize<U extends User = User> = (question: AuthorizeRequest<U>) => Decision | Promise<Decision>
