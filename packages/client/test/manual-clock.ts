import type { Clock } from '@tutti/client'

/** A clock that advances only on request. */
export interface ManualClock extends Clock {
  /** Timers that have not run. */
  readonly waiting: number
  /** When the next timer is due, milliseconds from now; `undefined` without one. */
  readonly nextMs: number | undefined
  /** Advances the time, and runs timers that fall due, in order. */
  advance(ms: number): void
}

export function manualClock(start = 1_000_000): ManualClock {
  let now = start
  const timers = new Set<{ at: number; run: () => void }>()
  const next = () =>
    [...timers].reduce<{ at: number; run: () => void } | undefined>(
      (first, timer) => (first && first.at <= timer.at ? first : timer),
      undefined,
    )
  return {
    get waiting() {
      return timers.size
    },
    get nextMs() {
      const timer = next()
      return timer && timer.at - now
    },
    now: () => now,
    after: (delayMs, run) => {
      const timer = { at: now + delayMs, run }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    advance: (ms) => {
      const end = now + ms
      for (let timer = next(); timer && timer.at <= end; timer = next()) {
        timers.delete(timer)
        now = Math.max(now, timer.at)
        timer.run()
      }
      now = end
    },
  }
}
