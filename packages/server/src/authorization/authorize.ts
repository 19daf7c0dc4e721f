import type { JsonValue } from '@tutti/protocol'

/** A signed-in user: whatever `authenticate` gave back. */
export interface User {
  /** Names the user; not empty. */
  readonly id: string
  /** When the sign-in ends, milliseconds since 1970: the connection then ends too, so that the client comes back with new credentials. */
  readonly expiresAt?: number
}

/**
 * What can be asked for, and on what: action → target. A feature that brings an action adds a line here. Subscribing is
 * asked like reading, for a subscriber reads what comes; a pattern (`chat:*`) and a prefix (`todos:`) have names of their
 * own, so that a check of one name never takes them for it.
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
}

/** The name of something that can be asked for. */
export type Action = keyof Actions

/** One thing that a client asks for. */
export type Access = {
  [Name in Action]: {
    readonly action: Name
    readonly target: Readonly<Actions[Name]>
    /** What comes along: the value that is set, the patch, the number to add, or the data of the event. */
    readonly value?: JsonValue
  }
}[Action]

/** What `authorize` is asked. */
export type AuthorizeRequest<U extends User = User> = Access & {
  /** What `authenticate` gave back; null where the server has no `authenticate`. */
  readonly user: U | null
  readonly connection: {
    readonly id: string
    /** What the client calls itself. It proves nothing: anybody can say it. */
    readonly clientId: string | undefined
  }
}

/**
 * Yes, no, or for a pattern or prefix `each`: its channels or keys are asked for one by one, before anything of them is
 * delivered. With `forMs` it says how long this instance may remember the answer for this connection, milliseconds.
 * Without it: writing and publishing are asked for each time; of the others a yes is remembered until the connection
 * ends or the right is revoked, a no for 5 s.
 */
export type Decision = boolean | 'each' | { readonly allow: boolean | 'each'; readonly forMs?: number }

/**
 * Says whether a user may do something. What it throws is a refusal too: a `RealtimeError` with its own code (say
 * `UNAVAILABLE` while the user database is away), anything else as `INTERNAL`.
 */
export type Authorize<U extends User = User> = (question: AuthorizeRequest<U>) => Decision | Promise<Decision>
