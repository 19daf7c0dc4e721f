/** An estimate of Redis' clock, which jumps of the local clock do not move. */
export interface RedisClock {
  /** Milliseconds since 1970. Before the first `adjust`: the local clock. */
  now(): number
  /** Takes over a time that Redis just told, in milliseconds. */
  adjust(redisMs: number): void
}

/** Makes the clock. `monotonicMs` never jumps; `wallMs` is the guess before Redis has told its time. */
export function createRedisClock({ monotonicMs = () => performance.now(), wallMs = () => Date.now() } = {}): RedisClock {
  let offset: number | undefined
  return {
    now: () => (offset === undefined ? wallMs() : monotonicMs() + offset),
    // A told time is old when it arrives, so the estimate is late rather than early: deadlines end too soon, never too late.
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
