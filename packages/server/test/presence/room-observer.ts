import type { PresenceChange, WireMember } from '@tutti/protocol'
import type { PlainClient } from '../serve.ts'

/** An observer of a room, which applies what it receives as a client does. */
export interface RoomObserver {
  /** The members that it shows, by id. */
  members(): Map<string, WireMember>
  /** The notices of members, so far. */
  changes(): PresenceChange[]
  /** The ids of all members that were reported as gone. */
  left(): string[]
  /** The newest cursor of each member. */
  cursors(): object
}

/** Subscribes a plain client to the members of a room. */
export async function observeRoom(client: PlainClient, room: string): Promise<RoomObserver> {
  const { members: first = [] } = await client.request('presence:subscribe', { room })
  const changes = (): PresenceChange[] =>
    client
      .of('presence:changed')
      .map((payload) => payload as PresenceChange)
      .filter((change) => change.room === room)
  return {
    changes,
    members: () => {
      const members = new Map(first.map((member) => [member.id, member]))
      for (const { joined = [], updated = [], left = [] } of changes()) {
        for (const id of left) members.delete(id)
        for (const member of [...joined, ...updated]) members.set(member.id, member)
      }
      return members
    },
    left: () => changes().flatMap(({ left = [] }) => left),
    cursors: () => Object.assign({}, ...client.of('presence:cursors').map((payload) => (payload as { cursors: object }).cursors)) as object,
  }
}
