import type { IncomingHttpHeaders } from 'node:http'

/**
 * The address of a client behind that many proxies of one's own (X5). Each adds the address that it was reached from to
 * the end of `X-Forwarded-For`; what stands before those is the client's own word and is never used.
 */
export function clientAddress(headers: IncomingHttpHeaders, peer: string, trustProxy: number): string {
  const forwarded = String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '')
  return [...forwarded, peer].at(-1 - trustProxy) ?? forwarded[0] ?? peer
}
