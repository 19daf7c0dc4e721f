import type { JsonValue, PresenceChange, WireMember } from '@tutti/protocol'
import type { Cursors, Member, MembersChange } from '@tutti/coordination/contract'

/** Changes of one room that are not sent yet: the newest state of each member, and its newest cursor. */
export interface PendingChanges {
  add(change: Partial<Omit<MembersChange, 'count'>>): void
  addCursors(cursors: Cursors): void
  /** The changes, which are removed; `undefined` if there are none. */
  take(): Pick<PresenceChange, 'joined' | 'updated' | 'left'> | undefined
  /** The cursors, which are removed; `undefined` if there are none. */
  takeCursors(): { [id: string]: JsonValue } | undefined
}

interface Pending {
  /** `undefined`: it left. */
  readonly member: Member | undefined
  /** It joined after the last `take`. */
  readonly isNew: boolean
}

/** A member as it is sent. */
export const toWireMember = ({ id, user, info = null }: Member): WireMember => ({ id, user, info })

/** Makes an empty collection. With `dropsEnded` a member that joined and left since the last `take` is not mentioned. */
export function createPendingChanges({ dropsEnded }: { dropsEnded: boolean }): PendingChanges {
  const pending = new Map<string, Pending>()
  const cursors = new Map<string, JsonValue>()
  const put = (member: Member, isNew: boolean): void => {
    pending.set(member.id, { member, isNew: pending.get(member.id)?.isNew ?? isNew })
  }

  return {
    add: ({ joined = [], updated = [], left = [] }) => {
      for (const member of joined) put(member, true)
      for (const member of updated) put(member, false)
      for (const id of left) {
        cursors.delete(id)
        const isNew = pending.get(id)?.isNew === true
        if (isNew && dropsEnded) pending.delete(id)
        else pending.set(id, { member: undefined, isNew })
      }
    },
    addCursors: (moved) => {
      for (const [id, data] of Object.entries(moved)) cursors.set(id, data)
    },
    take: () => {
      if (pending.size === 0) return undefined
      const joined: WireMember[] = []
      const updated: WireMember[] = []
      const left: string[] = []
      for (const [id, { member, isNew }] of pending) {
        if (member === undefined) left.push(id)
        else (isNew ? joined : updated).push(toWireMember(member))
      }
      pending.clear()
      return {
        ...(joined.length > 0 && { joined }),
        ...(updated.length > 0 && { updated }),
        ...(left.length > 0 && { left }),
      }
    },
    takeCursors: () => {
      if (cursors.size === 0) return undefined
      const taken = Object.fromEntries(cursors)
      cursors.clear()
      return taken
    },
  }
}
