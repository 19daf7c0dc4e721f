import { RealtimeError } from '@tutti/protocol'

/**
 * Admits this number per second, and as many at once after a pause (X5). It decides synchronously, unlike limiters that may
 * query a database: an admitted message is handled in the turn in which it arrived (E4).
 */
export class TokenBucket {
  private tokens: number
  private filledAt: number
  private readonly perSecond: number
  private readonly now: () => number

  /** `now`: milliseconds of a clock that only goes forward. */
  constructor(perSecond: number, now: () => number) {
    this.perSecond = perSecond
    this.now = now
    this.tokens = perSecond
    this.filledAt = now()
  }

  /** No token was taken for a second. */
  get isFull(): boolean {
    return this.now() - this.filledAt >= 1_000
  }

  /** Takes one; false where there is none. */
  tryTake(): boolean {
    const now = this.now()
    this.tokens = Math.min(this.perSecond, this.tokens + ((now - this.filledAt) * this.perSecond) / 1000)
    this.filledAt = now
    if (this.tokens < 1) return false
    this.tokens -= 1
    return true
  }

  /**
   * Takes one, or throws `RATE_LIMITED` with the time until half of the bucket is full again, so that a waiting client can send
   * several at once. `what` is the counted unit, for the message.
   */
  take(what: string): void {
    if (this.tryTake()) return
    const retryAfterMs = Math.ceil(((Math.max(1, this.perSecond / 2) - this.tokens) * 1000) / this.perSecond)
    throw new RealtimeError('RATE_LIMITED', { message: `Rate limit exceeded: ${this.perSecond} ${what}.`, retryAfterMs })
  }
}
