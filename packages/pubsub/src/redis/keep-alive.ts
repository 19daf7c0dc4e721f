/** When a connection on which nothing was sent is sent a PING, milliseconds: below what Redis, proxies and NATs usually allow. */
export const KEEP_ALIVE_MS = 10_000

/** Sends something now and then over a connection that is idle, so that neither Redis nor anything in between closes it. */
export interface KeepAlive {
  /** The connection is there. */
  start(): void
  /** Something was sent. */
  sent(): void
  /** The server closes what has been idle for so many milliseconds; 0 or less: never. */
  serverClosesAfter(idleMs: number): void
  stop(): void
}

/** What it needs. */
export interface KeepAliveOptions {
  /** At the latest after so many milliseconds without a command. */
  idleMs: number
  ping: () => void
}

// One PING that is late, on a busy machine, must not be the last one.
const PINGS_PER_TIMEOUT = 3

/** Makes it, stopped. Only what is sent counts: Redis and proxies measure the silence of the client. */
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
      // The server may be another one than before.
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
