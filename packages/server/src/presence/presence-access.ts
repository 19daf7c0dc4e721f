import type { Access } from '../authorization/authorize.ts'
import type { Connection } from '../connection/connection.ts'
import { observedRoom, roomOfMembership } from '../connection/subscription-names.ts'

/** To be a member of a room. */
export const joinAccess = (room: string): Access => ({ action: 'presence:join', target: { room } })

/** To receive the members of a room, or their number. */
export const readAccess = (room: string): Access => ({ action: 'presence:read', target: { room } })

/** The rights by which a connection is a member of rooms and observes them. */
export function presenceAccesses({ subscriptions }: Connection): Access[] {
  const names = [...subscriptions.all]
  // A room of which both the members and the number are subscribed to is one right.
  const observed = new Set(names.flatMap((name) => observedRoom(name) ?? []))
  return [...[...observed].map(readAccess), ...names.flatMap((name) => roomOfMembership(name) ?? []).map(joinAccess)]
}
