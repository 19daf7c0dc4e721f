import { createHash, randomUUID } from 'node:crypto'
import type { MemberIdentity } from '../contract.ts'

/**
 * The public id of a new member. For a client that can reconnect it is derived from the private `clientId`, so that every instance
 * makes the same one, also after Redis has lost the room. The random `clientId` cannot be computed from it.
 */
export function memberIdOf(room: string, { user, clientId }: Pick<MemberIdentity, 'user' | 'clientId'>): string {
  if (clientId === undefined) return randomUUID()
  return createHash('sha256')
    .update(JSON.stringify([room, user, clientId]))
    .digest('base64url')
    .slice(0, 22)
}
