const FIRST_MS = 1_000
const LONGEST_MS = 30_000

/**
 * The delay before attempt number `retries` + 1, milliseconds: a random value from 0 up to a bound that doubles from 1 s to 30
 * s, so that the clients of a lost server do not reconnect all at once (C1). `random` returns numbers from 0 up to 1.
 */
export const backoffMs = (retries: number, random: () => number, longestMs = LONGEST_MS): number =>
  random() * Math.min(longestMs, FIRST_MS * 2 ** retries)
