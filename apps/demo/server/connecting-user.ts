import type { Credentials, User } from '@tutti/server'
import { sessionOf } from './sessions.ts'

/**
 * The user of all visitors that are not signed in. No name contains a `:`, so no sign-in can produce this id, and `user:{id}:*`
 * belongs to no named user. All guests share one id: mutations are remembered by it and must be found again when a guest
 * reconnects.
 */
const GUEST: User = { id: 'guest:' }

/**
 * The user of a connection. Shared data is available without a sign-in, and also with a token that has expired or was signed by
 * a restarted server: without a valid token the user is a guest.
 */
export async function connectingUser({ headers }: Credentials): Promise<User> {
  const session = await sessionOf(headers.cookie)
  return session === undefined ? GUEST : { id: session.user, expiresAt: session.expiresAt }
}
