import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

// One client has one address, however its socket or a proxy spells it (X8). Otherwise one client counts as many, and an
// operator cannot find it in the audit.

/** The value for an unknown address: a peer on a Unix socket, a proxy that hides it, or text that is not an address. */
const UNKNOWN_ADDRESS = 'unknown'

/** `address`, `address:port`, `[address]` or `[address]:port`; the port may be obfuscated (RFC 7239, section 6). */
const NODE = /^(?:\[(?<inBrackets>[^\]]*)\]|(?<bare>[^:[\]]*))(?::(?:\d{1,5}|_[\w.-]+))?$/

/** An identifier that a proxy writes instead of an address (RFC 7239, section 6.3). The length is bounded: it is kept and logged. */
const OBFUSCATED = /^_[\w.-]{1,63}$/

/**
 * The normal form of an address: without port, brackets and zone, IPv6 as in RFC 5952, an IPv4-mapped address as IPv4. An
 * obfuscated identifier stays as it is; anything else is `unknown`.
 */
export function normalAddress(given: string | undefined): string {
  if (given !== undefined && isIP(given) === 4) return given
  const text = given?.trim() ?? ''
  const { inBrackets, bare } = NODE.exec(text)?.groups ?? {}
  if (bare !== undefined && OBFUSCATED.test(bare)) return bare
  if (bare !== undefined && isIP(bare) === 4) return bare
  const [address = ''] = (inBrackets ?? text).split('%')
  return isIP(address) === 6 ? ipaddr.process(address).toString() : UNKNOWN_ADDRESS
}

/** Groups of an IPv6 address that name its network, and of all of it. */
const NETWORK_GROUPS = 4
const GROUPS = 8

/** What limits count an address in normal form by: an IPv6 address by its /64, for one client has all of that. */
export function limitKeyOf(address: string): string {
  if (isIP(address) !== 6) return address
  const { parts } = ipaddr.IPv6.parse(address)
  const network = new ipaddr.IPv6([...parts.slice(0, NETWORK_GROUPS), ...Array<number>(GROUPS - NETWORK_GROUPS).fill(0)])
  return `${network.toString()}/64`
}
