import type { IncomingHttpHeaders } from 'node:http'
import { RealtimeError } from '@tutti/protocol'
import { toError } from '@tutti/protocol/internal'
import type { User } from '../authorization/authorize.ts'
import { webHeadersOf } from './web-headers.ts'

/** The data of a client that connects. */
export interface Credentials {
  /** The `token` of the handshake's `auth`. */
  readonly token: string | undefined
  /** All of the handshake's `auth`, as the client sent it: parse what you use of it. */
  readonly auth: Readonly<Record<string, unknown>>
  /**
   * Of the HTTP request. `cookie` is present for pages of the server's own origin and of origins that `origins` lists by name,
   * and absent for a page that only `'*'` allows.
   */
  readonly headers: IncomingHttpHeaders
  /** The same headers as web-standard `Headers`, for libraries that take these: `auth.api.getSession({ headers: webHeaders })`. */
  readonly webHeaders: Headers
  /**
   * The client's address according to `trustProxy`, in normal form: no port, IPv6 in its shortest spelling, an IPv4-mapped
   * address as IPv4. `unknown` on a Unix socket and if a proxy hides it.
   */
  readonly address: string
  /** Path and query of the HTTP request. */
  readonly url: string
}

/**
 * Identifies the connecting user. Null, and any thrown value, refuses the connection with `UNAUTHENTICATED`: the client does
 * not retry with the same credentials. A `RealtimeError` keeps its code, for example `UNAVAILABLE` while the user database is
 * down, after which the client tries again.
 */
export type Authenticate<U extends User = User> = (credentials: Credentials) => U | null | undefined | Promise<U | null | undefined>

/** Credentials as they were received. */
export type ReceivedCredentials = Omit<Credentials, 'webHeaders'>

/** The connecting user, or throws `UNAUTHENTICATED`, or the error of `authenticate`. `now`: milliseconds since 1970. */
export async function authenticated<U extends User>(
  authenticate: Authenticate<U>,
  credentials: ReceivedCredentials,
  now: number,
): Promise<U> {
  const user = await nameUser(authenticate, withWebHeaders(credentials))
  if (user === null || user === undefined)
    throw new RealtimeError('UNAUTHENTICATED', {
      message: 'Not authenticated: `authenticate` returned no user. Sign in and connect again.',
    })
  return checkUser(user, now)
}

/** The user itself, or throws: `UNAUTHENTICATED` where the sign-in has expired, a `TypeError` for what is no user. */
export function checkUser<U extends User>(user: U, now: number): U {
  // An id that is not text would be shared by all users, and one that is not well-formed could equal another's (S12).
  if (typeof user.id !== 'string' || user.id === '' || !user.id.isWellFormed()) {
    throw new TypeError('`authenticate` must return an object with an `id`: a well-formed string that is not empty.')
  }
  const { expiresAt } = user
  if (expiresAt !== undefined && (typeof expiresAt !== 'number' || Number.isNaN(expiresAt))) {
    throw new TypeError('Invalid `expiresAt` returned by `authenticate`: it must be a number, milliseconds since 1970.')
  }
  if (expiresAt !== undefined && expiresAt <= now) throw expired()
  return user
}

/** The error for a sign-in that has expired. */
export const expired = (): RealtimeError =>
  new RealtimeError('UNAUTHENTICATED', { message: 'The session has expired (`expiresAt`). Connect again with new credentials.' })

/** `webHeaders` is created at the first access, and not enumerable: most applications do not read it, and logs need it once. */
function withWebHeaders(received: ReceivedCredentials): Credentials {
  let webHeaders: Headers | undefined
  const credentials = {
    ...received,
    get webHeaders() {
      return (webHeaders ??= webHeadersOf(received.headers))
    },
  }
  return Object.defineProperty(credentials, 'webHeaders', { enumerable: false })
}

async function nameUser<U extends User>(authenticate: Authenticate<U>, credentials: Credentials): Promise<U | null | undefined> {
  try {
    return await authenticate(credentials)
  } catch (thrown) {
    const cause = toError(thrown)
    throw cause instanceof RealtimeError
      ? cause
      : new RealtimeError('UNAUTHENTICATED', { message: 'Authentication failed. Connect again with other credentials.', cause })
  }
}
