const FIRST_MS = 1_000
const LONGEST_MS = 30_000

/**
 * How long to wait before try number `retries` + 1, milliseconds: anything from 0 up to a bound that doubles from 1 s to
 * 30 s, so that clients that lost one server don't come back as one (C1). `random` gives numbers from 0 up to 1.
 */
export const backoffMs = (retries: number, random: () => number, longestMs = LONGEST_MS): number =>
  random() * Math.min(longestMs, FIRST_MS * 2 ** retries)
