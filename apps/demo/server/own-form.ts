import { useRealtime } from '@tutti/server/nitro'
import { HTTPError } from 'nitro/h3'

/** Longer than any form of this page is. */
const MAX_BYTES = 1_000

/**
 * A form that the page itself has sent. Another site could sign a visitor in under a name of its choice, or out: what it
 * sends is refused, and so is what is too long to be read. Throws the refusal.
 */
export async function ownForm(request: Request): Promise<FormData> {
  const { headers } = request
  // By the same rules as for connections: behind a proxy, `Host` may be another.
  if (!useRealtime().trustsOrigin(request)) {
    throw new HTTPError({ status: 403, message: 'Requests from other sites are not allowed.' })
  }
  if (!(Number(headers.get('content-length') ?? Infinity) <= MAX_BYTES)) {
    throw new HTTPError({ status: 413, message: 'The form is too long.' })
  }
  return request.formData().catch(() => new FormData())
}

/** Shows the page anew, as somebody else; `where` is a path with what to focus there. */
export const toPage = (where: string, cookie: string): Response =>
  new Response(null, { status: 303, headers: { location: where, 'set-cookie': cookie } })
