import type { IncomingHttpHeaders } from 'node:http'
import { forwardedAddresses } from './forwarded.ts'
import { normalAddress } from './ip-address.ts'

/**
 * The address of a client behind that many proxies of the operator, in normal form (X5, X8). Each proxy appends the address
 * from which it was reached; the addresses before those were written by the client and are never used.
 */
export function clientAddress(headers: IncomingHttpHeaders, peer: string | undefined, trustProxy: number): string {
  if (trustProxy === 0) return normalAddress(peer)
  const forwarded = forwardedAddresses(headers)
  return normalAddress(forwarded.at(-trustProxy) ?? forwarded[0] ?? peer)
}
