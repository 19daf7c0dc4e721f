import { RealtimeError } from '@tutti/protocol'

/** When to come back who has too many connections, milliseconds. */
const RETRY_MS = 5_000

/** Counts the connections of each address (X5). */
export class AddressLimit {
  private readonly counts = new Map<string, number>()
  private readonly most: number

  constructor(most: number) {
    this.most = most
  }

  /** Counts a connection in, or throws `RATE_LIMITED`; the function that is given back counts it out. */
  enter(address: string): () => void {
    const count = this.counts.get(address) ?? 0
    if (count >= this.most) {
      throw new RealtimeError('RATE_LIMITED', {
        message: `At most ${this.most} connections of one address. Behind a proxy, the server needs \`trustProxy\`.`,
        retryAfterMs: RETRY_MS,
      })
    }
    this.counts.set(address, count + 1)
    return () => {
      const left = (this.counts.get(address) ?? 1) - 1
      if (left === 0) this.counts.delete(address)
      else this.counts.set(address, left)
    }
  }
}
