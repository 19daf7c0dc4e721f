/** How long samples count, milliseconds: twice this at most. The clocks of machines drift. */
const WINDOW_MS = 60_000

/** Bounds of Redis' clock, which hold however long a reply waits to be read, milliseconds since 1970. */
export interface ClockBounds {
  /** Redis reported its time in a reply to a request that was sent then, by `monotonicMs`. */
  sample(sentMs: number, redisMs: number): void
  /** Redis' clock shows at least this. */
  earliest(): number
  /** Redis' clock shows at most this. */
  latest(): number
}

interface Window {
  readonly from: number
  /** Offsets of Redis' clock to the monotonic one. */
  readonly least: number
  readonly most: number
}

/** Makes the bounds. `estimate` is used before the first sample. */
export function createClockBounds(estimate: () => number, monotonicMs: () => number = () => performance.now()): ClockBounds {
  let windows: readonly Window[] = []

  const bound = (pick: (windows: readonly Window[]) => number): number =>
    windows.length === 0 ? estimate() : monotonicMs() + pick(windows)

  return {
    sample: (sentMs, redisMs) => {
      const now = monotonicMs()
      const [current, ...before] = windows.filter(({ from }) => now - from < 2 * WINDOW_MS)
      // The reply was written between the two.
      const sampled = { from: now, least: redisMs - now, most: redisMs - sentMs }
      if (current === undefined || sampled.most < current.least || sampled.least > current.most) windows = [sampled]
      else if (now - current.from > WINDOW_MS) windows = [sampled, current]
      else
        windows = [
          { from: current.from, least: Math.max(current.least, sampled.least), most: Math.min(current.most, sampled.most) },
          ...before,
        ]
    },
    earliest: () => bound((all) => Math.max(...all.map(({ least }) => least))),
    latest: () => bound((all) => Math.min(...all.map(({ most }) => most))),
  }
}
