import type { PresenceMember } from './presence-contract.ts'

/** The members of one user in a room: one for each of the user's clients. */
export interface PresentUser<Info> {
  /** Id of the first of the members: a key for lists. */
  readonly id: string
  /** Id of the user; '' without one. */
  readonly user: string
  /** The info of the member that joined last. */
  readonly info: Info
  readonly members: readonly PresenceMember<Info>[]
  /** One of them is this client. */
  readonly isMe: boolean
}

/** The members of each user as one, in the order in which the users joined. Members without a user are not combined. */
export function byUser<Info>(members: readonly PresenceMember<Info>[]): PresentUser<Info>[] {
  const users = new Map<string, PresentUser<Info>>()
  for (const member of members) {
    const { id, user, info, isMe } = member
    // Ids of users and members could be equal.
    const key = user === '' ? `m${id}` : `u${user}`
    const known = users.get(key)
    users.set(key, {
      id: known?.id ?? id,
      user,
      info,
      members: [...(known?.members ?? []), member],
      isMe: isMe || known?.isMe === true,
    })
  }
  return [...users.values()]
}
