/** An estimate of Redis' clock that is not affected by jumps of the local clock. */
export interface RedisClock {
  /** Milliseconds since 1970. Before the first `adjust`: the local clock. */
  now(): number
  /** Applies a time just received from Redis, milliseconds. */
  adjust(redisMs: number): void
}

/** Creates the clock. `monotonicMs` never jumps; `wallMs` is the estimate before Redis has reported its time. */
export function createRedisClock({ monotonicMs = () => performance.now(), wallMs = () => Date.now() } = {}): RedisClock {
  let offset: number | undefined
  return {
    now: () => (offset === undefined ? wallMs() : monotonicMs() + offset),
    // A reported time is already old when it arrives, so the estimate is late rather than early: a deadline may end too soon,
    // never too late.
    adjust: (redisMs) => {
      offset = redisMs - monotonicMs()
    },
  }
}

/** Milliseconds from the reply of TIME (`[seconds, microseconds]`), or `undefined`. */
export function parseTime(reply: unknown): number | undefined {
  if (!Array.isArray(reply)) return undefined
  const ms = Number(reply[0]) * 1000 + Number(reply[1]) / 1000
  return Number.isFinite(ms) ? ms : undefined
}
