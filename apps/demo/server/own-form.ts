import { useRealtime } from '@tutti/server/nitro'
import { HTTPError } from 'nitro/h3'

/** Longer than any form of this page. */
const MAX_BYTES = 1_000

/**
 * A form sent by the page itself. Another site could sign a visitor in under any name, or out: its forms are refused, and so
 * are forms that are too long. Throws the refusal.
 */
export async function ownForm(request: Request): Promise<FormData> {
  const { headers } = request
  // By the same rules as for connections: behind a proxy, `Host` may differ.
  if (!useRealtime().trustsOrigin(request)) {
    throw new HTTPError({ status: 403, message: 'Requests from other sites are not allowed.' })
  }
  if (!(Number(headers.get('content-length') ?? Infinity) <= MAX_BYTES)) {
    throw new HTTPError({ status: 413, message: 'The form is too long.' })
  }
  return request.formData().catch(() => new FormData())
}

/** Loads the page again for another user; `where` is a path with the element to focus. */
export const toPage = (where: string, cookie: string): Response =>
  new Response(null, { status: 303, headers: { location: where, 'set-cookie': cookie } })
