// Who is signed in: what page and server both know of it.

/** A sign-in. */
export interface Session {
  /** One sign-in of the user; another window of the same browser has the same. */
  readonly id: string
  /** The id of the user, a segment of keys: `user:<id>:…`. */
  readonly user: string
  /** The name as it was given. */
  readonly name: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** Longest name, UTF-16 units. */
export const MAX_NAME_LENGTH = 32

/**
 * What a name may be, for the `pattern` of an input and for `RegExp` with the flag `v`: no `:` and nothing else that has a
 * meaning in keys and patterns, so that nobody's name reaches below another's, or is the id of all who have none.
 */
export const NAME_PATTERN = String.raw`\s*[\p{L}\p{N}][\p{L}\p{M}\p{N} ._'’\-]*`

/** The same in words. */
export const NAME_IN_WORDS = 'Letters and digits of any script, spaces, and . _ - ’ after the first'

/** The id of the user of this name, the same however it is capitalised or spaced; `undefined` where it is no name. */
export function userIdOf(name: string): string | undefined {
  const folded = name.trim().normalize('NFKC').toLowerCase().replaceAll(/\s+/g, '-')
  return name.length <= MAX_NAME_LENGTH && new RegExp(`^(?:${NAME_PATTERN})$`, 'v').test(folded) ? folded : undefined
}

/** The channel on which the windows of a user hear which of his sessions has ended. */
export const sessionChannel = (user: string): `user:${string}:session` => `user:${user}:session`

/** What is published there: the id of the session. */
export interface SessionEnded {
  readonly ended: string
}

/** Below it stands a user's own list. */
export const ownListPrefix = (user: string): string => `user:${user}:notes:`
