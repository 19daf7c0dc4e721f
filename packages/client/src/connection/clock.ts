/** The client's clock and timers. An option, so that tests advance it manually. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Runs something once, `delayMs` from now. Returns a cancel function. */
  after(delayMs: number, run: () => void): () => void
}

/** The time of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, run) => {
    // The delay of something overdue is negative, of which Node would warn.
    const timer = setTimeout(run, Math.max(0, delayMs))
    return () => clearTimeout(timer)
  },
}
