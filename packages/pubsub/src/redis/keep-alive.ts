/** Idle time after which a connection sends a PING, milliseconds: below the usual limits of Redis, proxies and NATs. */
export const KEEP_ALIVE_MS = 10_000

/** Sends a command over an idle connection at intervals, so that neither Redis nor a proxy in between closes it. */
export interface KeepAlive {
  /** The connection is ready. */
  start(): void
  /** A command was sent. */
  sent(): void
  /** The server closes connections that are idle for this many milliseconds; 0 or less: never. */
  serverClosesAfter(idleMs: number): void
  stop(): void
}

/** Interval and sender of the PINGs. */
export interface KeepAliveOptions {
  /** The longest time without a command, milliseconds. */
  idleMs: number
  ping: () => void
}

// One PING that is late on a busy machine must not close the connection.
const PINGS_PER_TIMEOUT = 3

/** Creates the timer, stopped. Only sent commands count: Redis and proxies measure the inactivity of the client. */
export function createKeepAlive({ idleMs, ping }: KeepAliveOptions): KeepAlive {
  let limitMs = idleMs
  let lastSent = 0
  let timer: NodeJS.Timeout | undefined

  const wait = (ms: number): void => {
    clearTimeout(timer)
    timer = setTimeout(tick, ms)
  }
  const tick = (): void => {
    const restMs = lastSent + limitMs - performance.now()
    // Timers may fire a little early.
    if (restMs > 1) return wait(restMs)
    ping()
    wait(limitMs)
  }

  return {
    start: () => {
      // The server may be a different one than before.
      limitMs = idleMs
      lastSent = performance.now()
      wait(limitMs)
    },
    sent: () => {
      lastSent = performance.now()
    },
    serverClosesAfter: (serverIdleMs) => {
      if (timer === undefined || serverIdleMs <= 0 || serverIdleMs / PINGS_PER_TIMEOUT >= limitMs) return
      limitMs = serverIdleMs / PINGS_PER_TIMEOUT
      wait(limitMs)
    },
    stop: () => {
      clearTimeout(timer)
      timer = undefined
    },
  }
}
