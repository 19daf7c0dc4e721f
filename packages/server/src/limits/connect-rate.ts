import { RealtimeError } from '@tutti/protocol'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { limitKeyOf } from '../access/ip-address.ts'

/** Counts how often each client tries to connect, by the same key as its connections: a handshake costs more than most messages (X5, X8). */
export class ConnectRate {
  private readonly limiter: RateLimiterMemory
  private readonly perSecond: number

  constructor(perSecond: number) {
    this.perSecond = perSecond
    this.limiter = new RateLimiterMemory({ points: perSecond, duration: 1 })
  }

  /** Counts a try; rejects with `RATE_LIMITED`. */
  async count(address: string): Promise<void> {
    try {
      await this.limiter.consume(limitKeyOf(address))
    } catch (refusal) {
      throw new RealtimeError('RATE_LIMITED', {
        message: `At most ${this.perSecond} tries of one address to connect in a second. Behind a proxy, the server needs \`trustProxy\`.`,
        retryAfterMs: refusal instanceof RateLimiterRes ? Math.max(1, refusal.msBeforeNext) : undefined,
        cause: refusal,
      })
    }
  }
}
