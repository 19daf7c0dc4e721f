/** The name of the cookie with the token. */
const NAME = 'tutti-session'

/** The token among the cookies of a request. */
export const tokenIn = (cookies: string): string => new RegExp(`(?:^|; )${NAME}=([^;]*)`).exec(cookies)?.[1] ?? ''

/**
 * A `Set-Cookie` that stores the token until `expiresAt` (milliseconds since 1970): inaccessible to scripts, and not sent with
 * requests from other sites except links.
 */
export const keepToken = (token: string, expiresAt: number, request: Request): string =>
  `${NAME}=${token}; Path=/; HttpOnly; SameSite=Lax; Expires=${new Date(expiresAt).toUTCString()}${isEncrypted(request) ? '; Secure' : ''}`

/** A `Set-Cookie` that deletes it. */
export const forgetToken = (request: Request): string => keepToken('', 0, request)

/** A form contains the origin of its page, which is correct even if a proxy terminates TLS. */
const isEncrypted = ({ url, headers }: Request): boolean => (URL.parse(headers.get('origin') ?? '') ?? new URL(url)).protocol === 'https:'
