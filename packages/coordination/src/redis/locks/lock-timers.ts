/** Ends locks whose holders have not reconnected in time, where an instance follows them or has requests that wait. */
export interface LockTimers {
  /** The lock ends in this time, unless its holder reconnects. 0: it does not. */
  set(key: string, inMs: number): void
  clear(): void
}

/** How much later than its end a lock is ended at most, at random, so that one of several instances does it. */
const JITTER_MS = 50

/** How soon a failed end is repeated, milliseconds. */
const RETRY_MS = 1_000

/** Makes the timers. `expire` resolves with the time that is left. `isUsed`: whether an end of the lock matters here. */
export function createLockTimers(expire: (key: string) => Promise<number>, isUsed: (key: string) => boolean): LockTimers {
  const timers = new Map<string, NodeJS.Timeout>()
  const set = (key: string, inMs: number): void => {
    clearTimeout(timers.get(key))
    timers.delete(key)
    if (inMs <= 0 || !isUsed(key)) return
    const run = (): void => {
      timers.delete(key)
      if (isUsed(key))
        expire(key).then(
          (left) => left > 0 && set(key, left),
          () => set(key, RETRY_MS),
        )
    }
    timers.set(key, setTimeout(run, inMs + Math.random() * JITTER_MS))
  }
  return {
    set,
    clear: () => {
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}
