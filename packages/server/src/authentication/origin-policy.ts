import type { IncomingHttpHeaders } from 'node:http'
import { forwardedPort, forwardedRequest } from './forwarded.ts'
import { normalOrigin, type OriginList } from './origin-list.ts'

/** What decides about the page behind a request. */
export interface OriginRequest {
  readonly headers: IncomingHttpHeaders
  /** The connection to this process uses TLS. */
  readonly secure: boolean
}

/** The origin of a page and the host with which it was compared, for logs. */
export interface ComparedOrigin {
  readonly origin: string
  readonly host: string
}

/**
 * Where the page behind a request comes from. `none`: the client is no page. `own`: the origin of the server itself. `listed`:
 * named in `origins`. `any`: let in by `'*'` alone. `foreign`: it may not connect.
 */
export type OriginVerdict = 'none' | 'own' | 'listed' | 'any' | 'foreign'

/** Decides which pages may connect, and for which of them cookies count (X1). */
export interface OriginPolicy {
  judge(request: OriginRequest): OriginVerdict
  /** Whether cookies count: the page is of the server's own origin or of a listed one, or the client is no page. */
  trusts(request: OriginRequest): boolean
  /** Both names, for a request of a foreign page. */
  compared(request: OriginRequest): ComparedOrigin | undefined
}

const TRUSTED: ReadonlySet<OriginVerdict> = new Set<OriginVerdict>(['none', 'own', 'listed'])

/** The most that logs keep of a name that a client wrote. */
const MAX_NAME_LENGTH = 256

/** The policy for a list of origins, behind that many proxies of the operator. */
export function createOriginPolicy({ all, listed }: OriginList, trustProxy: number): OriginPolicy {
  const judge = (request: OriginRequest): OriginVerdict => {
    const { origin } = request.headers
    if (origin === undefined) return 'none'
    const normal = normalOrigin(origin)
    if (normal !== undefined && isOwn(normal, request, trustProxy)) return 'own'
    if (normal !== undefined && listed.has(normal)) return 'listed'
    return all ? 'any' : 'foreign'
  }
  return {
    judge,
    trusts: (request) => TRUSTED.has(judge(request)),
    compared: (request) => {
      if (judge(request) !== 'foreign') return undefined
      const [host = ''] = hostsOf(request.headers, trustProxy)
      return { origin: String(request.headers.origin).slice(0, MAX_NAME_LENGTH), host: host.slice(0, MAX_NAME_LENGTH) }
    },
  }
}

/**
 * Whether a page has the origin of the server. The hosts are read with the scheme of the page, for a proxy may end TLS. Only
 * the other way is refused: behind a connection that is known to use TLS, a page without TLS could have been replaced on its way.
 */
function isOwn(origin: string, { headers, secure }: OriginRequest, trustProxy: number): boolean {
  const [scheme] = origin.split('//', 1)
  if (scheme !== 'http:' && scheme !== 'https:') return false
  const isEncrypted = trustProxy > 0 ? forwardedRequest(headers, trustProxy).proto === 'https' : secure
  if (isEncrypted && scheme === 'http:') return false
  // Set by browsers, out of reach of pages: proof against a page that could write X-Forwarded-Host.
  const site = headers['sec-fetch-site']
  if (site === 'cross-site' || site === 'same-site') return false
  return hostsOf(headers, trustProxy).some((host) => normalOrigin(`${scheme}//${host}`) === origin)
}

/**
 * The names by which a client may have reached this server: first that of the outermost trusted proxy, then `Host`. A proxy may
 * leave the port out of the host and send it as `X-Forwarded-Port`.
 */
function hostsOf(headers: IncomingHttpHeaders, trustProxy: number): readonly string[] {
  const { host: forwarded } = forwardedRequest(headers, trustProxy)
  // HTTP/2 has the host in a header of another name.
  const host = headers.host ?? headers[':authority']
  const port = forwardedPort(headers, trustProxy)
  const hosts = [forwarded, typeof host === 'string' ? host : undefined].filter((name) => name !== undefined)
  return port === undefined ? hosts : [...hosts, ...hosts.filter((name) => !/:\d+$/.test(name)).map((name) => `${name}:${port}`)]
}
