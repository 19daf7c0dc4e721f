import { limitKeyOf } from '../authentication/ip-address.ts'
import { TokenBucket } from './token-bucket.ts'

/** Addresses that are remembered before those that need not be are removed. */
const FEW = 1_000

/** Counts how often each client tries to connect, by the same key as its connections: a handshake costs more than most messages (X5, X8). */
export interface ConnectRate {
  /** Addresses that are remembered. */
  readonly size: number
  /** Counts a try, or throws `RATE_LIMITED`. */
  count(address: string): void
}

/** Makes the rate of one server. `now`: milliseconds of a clock that only goes forward. */
export function createConnectRate(perSecond: number, now: () => number = () => performance.now()): ConnectRate {
  const buckets = new Map<string, TokenBucket>()
  let many = FEW

  /** Forgets addresses whose buckets are full again: new ones would be the same. */
  const sweep = (): void => {
    for (const [key, bucket] of buckets) if (bucket.isFull) buckets.delete(key)
    many = Math.max(FEW, 2 * buckets.size)
  }
  const open = (key: string): TokenBucket => {
    if (buckets.size >= many) sweep()
    const bucket = new TokenBucket(perSecond, now)
    buckets.set(key, bucket)
    return bucket
  }

  return {
    get size() {
      return buckets.size
    },
    count: (address) => {
      const key = limitKeyOf(address)
      const bucket = buckets.get(key) ?? open(key)
      bucket.take('connection attempts per second and address (connectsPerSecondPerAddress). Behind a proxy, set `trustProxy`')
    },
  }
}
