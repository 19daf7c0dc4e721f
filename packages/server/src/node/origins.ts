import type { IncomingMessage } from 'node:http'
import type { ServerOptions } from 'socket.io'

/**
 * Options of Socket.IO that let pages of these origins and of the server's own connect, and no others, on every
 * transport: `cors` alone does not hold a WebSocket back. What has no `Origin` header is no page, and is let in.
 */
export function withOrigins(origins: readonly string[], options: Partial<ServerOptions>): Partial<ServerOptions> {
  const { allowRequest } = options
  return {
    cors: { origin: [...origins] },
    ...options,
    allowRequest: (request, decide) => {
      if (!isAllowed(request, origins)) return decide('Pages of this origin may not connect.', false)
      if (allowRequest === undefined) return decide(null, true)
      allowRequest(request, decide)
    },
  }
}

function isAllowed({ headers }: IncomingMessage, origins: readonly string[]): boolean {
  const { origin } = headers
  if (origin === undefined || origins.includes(origin)) return true
  // HTTP/2 has the host in a header of another name.
  return URL.canParse(origin) && new URL(origin).host === (headers.host ?? headers[':authority'])
}
