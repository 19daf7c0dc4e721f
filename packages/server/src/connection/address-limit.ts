import { RealtimeError } from '@tutti/protocol'
import { limitKeyOf } from '../authentication/ip-address.ts'

/** How long a client with too many connections waits before the next attempt, milliseconds. */
const RETRY_MS = 5_000

/** Counts the connections of each client: by its address, or by the /64 of an IPv6 address (X5, X8). */
export interface AddressLimit {
  /** Counts a connection in, or throws `RATE_LIMITED`. Returns the key by which it is counted out. */
  enter(address: string): string
  /** Counts a connection out. */
  leave(key: string): void
}

/** Makes the limit of one server: so many connections of one address. */
export function createAddressLimit(most: number): AddressLimit {
  const counts = new Map<string, number>()
  return {
    enter: (address) => {
      const key = limitKeyOf(address)
      const count = counts.get(key) ?? 0
      if (count >= most) {
        throw new RealtimeError('RATE_LIMITED', {
          message: `Connection limit per address reached (maxConnectionsPerAddress: ${most}). Behind a proxy, set \`trustProxy\`.`,
          retryAfterMs: RETRY_MS,
        })
      }
      counts.set(key, count + 1)
      return key
    },
    leave: (key) => {
      const left = (counts.get(key) ?? 1) - 1
      if (left === 0) counts.delete(key)
      else counts.set(key, left)
    },
  }
}
