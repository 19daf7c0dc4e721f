import type { Credentials, User } from '@tutti/server'
import { guestIdOf } from '../app/guest.ts'
import { sessionOf } from './sessions.ts'

/**
 * The user of a connection. Shared data is available without a sign-in, and also with a token that has expired or was signed by
 * a restarted server: without a valid token the user is a guest.
 */
export async function connectingUser({ headers, auth }: Credentials): Promise<User> {
  const session = await sessionOf(headers.cookie)
  return session === undefined ? { id: guestIdOf(auth) } : { id: session.user, expiresAt: session.expiresAt }
}
