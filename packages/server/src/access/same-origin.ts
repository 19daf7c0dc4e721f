import type { IncomingHttpHeaders } from 'node:http'

/** Tells whether a request is no page of another site: it has no `Origin` header, or one with the host that it asks (X1). */
export function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  const { origin } = headers
  // HTTP/2 has the host in a header of another name.
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === (headers.host ?? headers[':authority']))
}
