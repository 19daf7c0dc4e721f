import type { Connection } from './connection.ts'

/** Connections that receive the same notices. Most rooms and keys have one, and need no set. */
export type Members = Connection | Set<Connection>

/** The same members with this one. A set is changed. */
export function withMember(members: Members | undefined, connection: Connection): Members {
  if (members === undefined || members === connection) return connection
  return members instanceof Set ? members.add(connection) : new Set([members, connection])
}

/** The same members without this one. A set is changed. */
export function withoutMember(members: Members | undefined, connection: Connection): Members | undefined {
  if (!(members instanceof Set)) return members === connection ? undefined : members
  members.delete(connection)
  if (members.size > 1) return members
  // Not in a large set: V8 passes the places of all deleted members to find the first one.
  const [first] = members
  return first
}

const NONE: readonly Connection[] = []

/** The members as a list. */
export const listMembers = (members: Members | undefined): readonly Connection[] =>
  members === undefined ? NONE : members instanceof Set ? [...members] : [members]
