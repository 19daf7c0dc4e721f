// The signed-in user, as known to page and server.

/** A sign-in. */
export interface Session {
  /** One sign-in of the user; another window of the same browser has the same. */
  readonly id: string
  /** The id of the user, a segment of keys: `user:<id>:…`. */
  readonly user: string
  /** The name as entered. */
  readonly name: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** Longest name, UTF-16 units. */
export const MAX_NAME_LENGTH = 32

/**
 * The grammar of names, for the `pattern` of an input and for `RegExp` with the flag `v`: no `:` and no other character with a
 * meaning in keys and patterns, so that no name gives access to another user's keys, or equals the id of guests.
 */
export const NAME_PATTERN = String.raw`\s*[\p{L}\p{N}][\p{L}\p{M}\p{N} ._'’\-]*`

/** The same in words. */
export const NAME_IN_WORDS = 'A letter or digit, then letters, digits, spaces and . _ - ’'

/** The id of the user with this name, regardless of case and spacing; `undefined` for an invalid name. */
export function userIdOf(name: string): string | undefined {
  const folded = name.trim().normalize('NFKC').toLowerCase().replaceAll(/\s+/g, '-')
  return name.length <= MAX_NAME_LENGTH && new RegExp(`^(?:${NAME_PATTERN})$`, 'v').test(folded) ? folded : undefined
}

/** The channel on which the windows of a user receive the end of a session. */
export const sessionChannel = (user: string): `user:${string}:session` => `user:${user}:session`

/** The event: the id of the ended session. */
export interface SessionEnded {
  readonly ended: string
}

/** The prefix of a user's own list. */
export const ownListPrefix = (user: string): string => `user:${user}:notes:`
