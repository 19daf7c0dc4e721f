import type { IncomingHttpHeaders } from 'node:http'
import { RealtimeError } from '@tutti/protocol'
import type { ServerErrorListener } from '../feature.ts'
import type { AuditTrail } from '../authorization/audit-log.ts'
import { authenticated, type Authenticate } from './authenticate.ts'
import { clientAddress } from './client-address.ts'
import type { OriginPolicy, OriginRequest } from './origin-policy.ts'
import type { User } from '../authorization/authorize.ts'

/** An HTTP request: a `Request` (Nitro 3, Fetch) or a Node request (Express, Nitro 2, Nuxt). */
export interface HttpRequest {
  readonly headers: Headers | IncomingHttpHeaders
  /** Path and query, or the whole address. */
  readonly url?: string | undefined
  /** Of a Node request: where it comes from. */
  readonly socket?: { readonly remoteAddress?: string | undefined; readonly encrypted?: boolean | undefined } | undefined
  /** Of a `Request` on servers that have it. */
  readonly ip?: string | undefined
}

/** What naming the user of a request needs. */
export interface RequestAuthenticationOptions<U extends User> {
  readonly authenticate: Authenticate<U> | undefined
  readonly trustProxy: number
  readonly origins: OriginPolicy
  readonly audit: AuditTrail
  readonly onError: ServerErrorListener
}

/**
 * Names the user of an HTTP request by the application's `authenticate`, as for a connection with the same headers: the cookie
 * of a page for which cookies do not count is left out (X1). Null without an `authenticate`. Rejects as the connection would.
 */
export async function authenticateRequest<U extends User>(
  request: HttpRequest,
  { authenticate, trustProxy, origins, audit, onError }: RequestAuthenticationOptions<U>,
): Promise<U | null> {
  if (authenticate === undefined) return null
  const { path } = urlOf(request)
  const received = originRequestOf(request)
  const headers = origins.trusts(received) ? received.headers : { ...received.headers, cookie: undefined }
  const address = clientAddress(headers, request.socket?.remoteAddress ?? request.ip, trustProxy)
  const credentials = { token: undefined, auth: {}, headers, address, url: path }
  try {
    return await authenticated(authenticate, credentials, Date.now())
  } catch (error) {
    audit.refused({ user: '', address }, { action: 'authenticate' }, error)
    if (error instanceof RealtimeError) throw error
    onError(error, { stage: 'authenticate' })
    throw new RealtimeError('INTERNAL', { message: '`authenticate` threw an error: see `cause`.', cause: error })
  }
}

/** What the policy of origins needs of an HTTP request. */
export function originRequestOf(request: HttpRequest): OriginRequest {
  const { host, isSecure } = urlOf(request)
  return { headers: { host, ...headersOf(request) }, secure: isSecure || request.socket?.encrypted === true }
}

/** Servers have classes of their own for the headers of a `Request`. */
const isHeaders = (headers: HttpRequest['headers']): headers is Headers => typeof headers['get'] === 'function'

const headersOf = ({ headers }: HttpRequest): IncomingHttpHeaders => (isHeaders(headers) ? Object.fromEntries(headers.entries()) : headers)

/** Where the request has no whole address, the host is in its headers. */
function urlOf({ url = '/' }: HttpRequest): { path: string; host: string | undefined; isSecure: boolean } {
  if (!URL.canParse(url)) return { path: url, host: undefined, isSecure: false }
  const { pathname, search, host, protocol } = new URL(url)
  return { path: `${pathname}${search}`, host, isSecure: protocol === 'https:' }
}
