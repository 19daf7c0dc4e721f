import type { IncomingHttpHeaders } from 'node:http'

/** Headers of Node as web-standard `Headers`. The pseudo-headers of HTTP/2, such as `:path`, are left out: `Headers` has no such names. */
export function webHeadersOf(headers: IncomingHttpHeaders): Headers {
  const result = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':')) continue
    for (const line of [value].flat()) if (line !== undefined) result.append(name, line)
  }
  return result
}
