import { RealtimeError } from '@tutti/protocol'

const scope: object = globalThis
const page: { location?: { origin: string } } = scope

/**
 * The URL that Socket.IO connects to. Socket.IO would use a path in it as a namespace, and the client would retry without end.
 * Throws `INVALID_OPTIONS`.
 */
export function serverUrl(url: string | URL | undefined = page.location?.origin): string {
  try {
    const { href } = new URL(String(url))
    if (/^(http|ws)s?:..[^/]+\/($|[?#])/.test(href)) return href
  } catch {
    // Not a URL.
  }
  throw new RealtimeError('INVALID_OPTIONS', {
    message: '`url` must be an origin such as https://a.example; a path is the option `path`.',
  })
}
