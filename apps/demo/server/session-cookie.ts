/** Under which the browser keeps the token. */
const NAME = 'tutti-session'

/** The token among the cookies of a request. */
export const tokenIn = (cookies: string): string => new RegExp(`(?:^|; )${NAME}=([^;]*)`).exec(cookies)?.[1] ?? ''

/**
 * A `Set-Cookie` that keeps the token until `expiresAt` (milliseconds since 1970): out of reach of scripts, and of what other
 * sites make a browser send, links excepted.
 */
export const keepToken = (token: string, expiresAt: number, request: Request): string =>
  `${NAME}=${token}; Path=/; HttpOnly; SameSite=Lax; Expires=${new Date(expiresAt).toUTCString()}${isEncrypted(request) ? '; Secure' : ''}`

/** A `Set-Cookie` that forgets it. */
export const forgetToken = (request: Request): string => keepToken('', 0, request)

/** A form names the origin of its page, which is known where a proxy ends TLS too. */
const isEncrypted = ({ url, headers }: Request): boolean => (URL.parse(headers.get('origin') ?? '') ?? new URL(url)).protocol === 'https:'
