import type { IncomingHttpHeaders } from 'node:http'

/** One step of a request through a proxy: the values that the proxy added about the request that it received. */
export interface ForwardedRequest {
  /** The host by which the client reached the proxy, with its port where that is known. */
  readonly host: string | undefined
  /** The scheme by which the client reached the proxy: `http` or `https`. */
  readonly proto: string | undefined
}

/**
 * The request as the outermost of `trustProxy` proxies received it, from `X-Forwarded-Host`, `-Proto` and `-Port`, or from
 * `Forwarded` (RFC 7239) where those are absent. Each proxy appends its value, so the value that counts is found from the
 * end: the values before it were written by the client. A proxy that replaces the value leaves one, and that one counts.
 */
export function forwardedRequest(headers: IncomingHttpHeaders, trustProxy: number): ForwardedRequest {
  if (trustProxy === 0) return { host: undefined, proto: undefined }
  const element = fromEnd(elementsOf(headers['forwarded']), trustProxy)
  const host = fromEnd(listOf(headers['x-forwarded-host']), trustProxy) ?? parameterOf(element, 'host')
  const proto = fromEnd(listOf(headers['x-forwarded-proto']), trustProxy) ?? parameterOf(element, 'proto')
  return { host, proto: proto?.toLowerCase() }
}

/** The port by which the client reached the outermost of `trustProxy` proxies, from `X-Forwarded-Port`. */
export const forwardedPort = (headers: IncomingHttpHeaders, trustProxy: number): string | undefined =>
  trustProxy === 0 ? undefined : fromEnd(listOf(headers['x-forwarded-port']), trustProxy)

/**
 * The addresses that proxies appended, the last one last: those of `X-Forwarded-For`, or of `Forwarded` where that is absent.
 * A proxy that writes `Forwarded` has to remove an `X-Forwarded-For` of the client.
 */
export function forwardedAddresses(headers: IncomingHttpHeaders): readonly string[] {
  const addresses = listOf(headers['x-forwarded-for'])
  if (addresses.length > 0) return addresses
  return elementsOf(headers['forwarded']).map((element) => parameterOf(element, 'for') ?? '')
}

/** The value that the outermost of so many proxies added: the first where not each of them adds one. */
const fromEnd = (values: readonly string[], proxies: number): string | undefined => values.at(-proxies) ?? values[0]

const textOf = (header: string | string[] | undefined): string => (Array.isArray(header) ? header.join(',') : (header ?? ''))

const listOf = (header: string | string[] | undefined): readonly string[] =>
  textOf(header)
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '')

/**
 * The elements of `Forwarded`. They are separated from the end: an unbalanced quote in what the client wrote would else
 * swallow the elements that proxies appended.
 */
function elementsOf(header: string | string[] | undefined): readonly string[] {
  const text = textOf(header)
  const elements: string[] = []
  let end = text.length
  let isQuoted = false
  for (let index = text.length - 1; index >= -1; index--) {
    const character = index === -1 ? ',' : text[index]
    if (character === '"') isQuoted = !isQuoted
    if (index !== -1 && (character !== ',' || isQuoted)) continue
    const element = text.slice(index + 1, end).trim()
    if (element !== '') elements.unshift(element)
    end = index
  }
  return elements
}

/** `for=203.0.113.7;proto=https;host="app.example:8443"` */
const PARAMETER = /(?:^|;)\s*(?<name>[a-z]+)\s*=\s*(?:"(?<quoted>[^"]*)"|(?<token>[^;"\s]*))/gi

function parameterOf(element: string | undefined, name: 'for' | 'host' | 'proto'): string | undefined {
  for (const { groups = {} } of element?.matchAll(PARAMETER) ?? []) {
    if (groups['name']?.toLowerCase() === name) return groups['quoted'] ?? groups['token']
  }
  return undefined
}
