import type { Credentials, User } from '@tutti/server'
import { sessionOf } from './sessions.ts'

/**
 * All who are not signed in. No name has a `:`, so nobody can sign in as them, and `user:{id}:*` is nobody's who has one.
 * One id for all: what a visitor does is remembered by it and must be found again when he reconnects.
 */
const GUEST: User = { id: 'guest:' }

/**
 * Who opens a connection: what the page shares is there without a sign-in, too, and for those whose token has ended, or was
 * signed by a server that has been restarted. Who can't prove who he is, is a guest.
 */
export async function whoConnects({ headers }: Credentials): Promise<User> {
  const session = await sessionOf(headers.cookie)
  return session === undefined ? GUEST : { id: session.user, expiresAt: session.expiresAt }
}
