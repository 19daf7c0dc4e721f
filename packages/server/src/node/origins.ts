import type { ServerOptions } from 'socket.io'
import { isSameOrigin } from '../access/same-origin.ts'

/**
 * Options of Socket.IO that let pages of these origins and of the server's own connect, and no others, on every
 * transport: `cors` alone does not hold a WebSocket back. What has no `Origin` header is no page, and is let in. `*`
 * lets pages of all origins in.
 */
export function withOrigins(origins: readonly string[] | '*', options: Partial<ServerOptions>): Partial<ServerOptions> {
  const { allowRequest } = options
  return {
    cors: { origin: origins === '*' ? origins : [...origins] },
    ...options,
    allowRequest: (request, decide) => {
      const { origin } = request.headers
      const isAllowed = isSameOrigin(request.headers) || origins === '*' || (origin !== undefined && origins.includes(origin))
      if (!isAllowed) return decide('Pages of this origin may not connect.', false)
      if (allowRequest === undefined) return decide(null, true)
      allowRequest(request, decide)
    },
  }
}
