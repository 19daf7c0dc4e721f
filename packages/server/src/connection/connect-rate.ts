import { limitKeyOf } from '../authentication/ip-address.ts'
import { TokenBucket } from './token-bucket.ts'

/** Addresses that may be known before those that need not be are looked for. */
const FEW = 1_000

/** Counts how often each client tries to connect, by the same key as its connections: a handshake costs more than most messages (X5, X8). */
export class ConnectRate {
  private readonly buckets = new Map<string, TokenBucket>()
  private readonly perSecond: number
  private readonly now: () => number
  private many = FEW

  /** `now`: milliseconds of a clock that only goes forward. */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.perSecond = perSecond
    this.now = now
  }

  /** Counts a try, or throws `RATE_LIMITED`. */
  count(address: string): void {
    const key = limitKeyOf(address)
    const bucket = this.buckets.get(key) ?? this.open(key)
    bucket.take('tries of one address to connect in a second. Behind a proxy, the server needs `trustProxy`')
  }

  private open(key: string): TokenBucket {
    if (this.buckets.size >= this.many) this.sweep()
    const bucket = new TokenBucket(this.perSecond, this.now)
    this.buckets.set(key, bucket)
    return bucket
  }

  /** Forgets addresses whose buckets are full again: new ones would be the same. */
  private sweep(): void {
    for (const [key, bucket] of this.buckets) if (bucket.isFull) this.buckets.delete(key)
    this.many = Math.max(FEW, 2 * this.buckets.size)
  }
}
