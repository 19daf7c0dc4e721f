import { RealtimeError } from '@tutti/protocol'
import { limitKeyOf } from '../authentication/ip-address.ts'

/** When to come back who has too many connections, milliseconds. */
const RETRY_MS = 5_000

/** Counts the connections of each client: by its address, or by the /64 of an IPv6 address (X5, X8). */
export class AddressLimit {
  private readonly counts = new Map<string, number>()
  private readonly most: number

  constructor(most: number) {
    this.most = most
  }

  /** Counts a connection in, or throws `RATE_LIMITED`; the function that is given back counts it out. */
  enter(address: string): () => void {
    const key = limitKeyOf(address)
    const count = this.counts.get(key) ?? 0
    if (count >= this.most) {
      throw new RealtimeError('RATE_LIMITED', {
        message: `At most ${this.most} connections of one address. Behind a proxy, the server needs \`trustProxy\`.`,
        retryAfterMs: RETRY_MS,
      })
    }
    this.counts.set(key, count + 1)
    return () => {
      const left = (this.counts.get(key) ?? 1) - 1
      if (left === 0) this.counts.delete(key)
      else this.counts.set(key, left)
    }
  }
}
