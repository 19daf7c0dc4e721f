import type { JsonValue, PresenceChange, PresencePage, RealtimeError } from '@tutti/protocol'
import { mayRepeat } from '@tutti/protocol/internal'
import type { ClientInternals } from '../create-realtime-client.ts'
import { createObservable, type Observable } from '../observable.ts'
import { createCursors } from './cursors.ts'
import type { PresenceCursors, PresenceMember, PresenceSnapshot } from './presence-contract.ts'
import type { PresenceKind } from './presence-rooms.ts'
import { createSettlingMembers } from './settling-members.ts'

/** How soon a change of info is sent again that could not be made, milliseconds. */
const RETRY_MS = 1_000

/** What is known of one room, for all handles of a client. */
export interface PresenceRecord {
  readonly room: string
  readonly observable: Observable<PresenceSnapshot<unknown>>
  readonly cursors: PresenceCursors<unknown, unknown>
  /** The info set last. */
  readonly info: JsonValue
  /** A handle is on the room. */
  readonly isUsed: boolean
  setInfo(info: JsonValue): void
  /** Makes this client a member. Returns a function that ends this; the last one ends the membership. */
  join(): () => void
  /** Receives the members or their number, until the returned function is called. */
  observe(count: boolean): () => void
  /** The server made this client a member, with that info. */
  joined(id: string, info: JsonValue): void
  receivePage(page: PresencePage): void
  receiveChange(change: PresenceChange): void
  receiveCursors(cursors: { readonly [id: string]: JsonValue }): void
  /** The connection is lost. */
  lost(): void
  refused(kind: string, error: RealtimeError): void
  /** The server has ended what was no longer wanted. */
  gone(kind: string): void
}

/** What a record needs. */
export interface PresenceRecordOptions extends Pick<ClientInternals, 'clock' | 'connection' | 'onThrow'> {
  readonly room: string
  want(kind: PresenceKind): void
  unwant(kind: PresenceKind): void
}

/** Makes the record of one room. */
export function createPresenceRecord({ room, clock, connection, onThrow, want, unwant }: PresenceRecordOptions): PresenceRecord {
  const uses: Record<PresenceKind, number> = { member: 0, members: 0, count: 0 }
  const errors: { [kind: string]: RealtimeError | undefined } = {}
  let members = new Map<string, PresenceMember<unknown>>()
  let count: number | undefined
  let hasMembers = false
  let ownId: string | undefined
  let info: JsonValue = null
  /** The info that the server has. */
  let sentInfo: JsonValue | undefined = null
  let isUpdating = false

  const isMember = (): boolean => ownId !== undefined && uses.member > 0

  const snapshot = (): PresenceSnapshot<unknown> => {
    const error = errors['member'] ?? errors['members'] ?? errors['count']
    return {
      members: [...members.values()],
      count: (count ?? 0) + settling.size,
      loading: !error && (uses.members > 0 ? !hasMembers : count === undefined),
      joined: isMember(),
      error,
    }
  }
  const settling = createSettlingMembers(clock, (ids) => {
    for (const id of ids) remove(id)
    refresh()
  })
  const { observable, show } = createObservable(snapshot(), onThrow)
  const cursors = createCursors({
    clock,
    onThrow,
    memberOf: (id) => (id === ownId ? undefined : members.get(id)),
    send: (data) => isMember() && connection.up && connection.send('presence:cursor', { room, data }),
  })
  const refresh = (): void => {
    show(snapshot())
    cursors.refresh()
  }

  const set = (member: Omit<PresenceMember<unknown>, 'isMe'>): void => {
    members.set(member.id, { ...member, isMe: member.id === ownId })
  }
  const put = (list: readonly Omit<PresenceMember<unknown>, 'isMe'>[] = []): void => {
    for (const member of list) {
      settling.confirm(member.id)
      set(member)
    }
  }
  const remove = (id: string): void => {
    settling.confirm(id)
    members.delete(id)
    cursors.forget(id)
  }
  const clear = (): void => {
    settling.begin([], 0)
    members = new Map()
  }
  const setOwnId = (id: string | undefined): void => {
    if (id === ownId) return
    ownId = id
    for (const member of members.values()) if (member.isMe !== (member.id === id)) set(member)
  }

  /** One update is in flight at a time; the next one has the newest info. */
  const sendInfo = (): void => {
    if (!isMember() || isUpdating || info === sentInfo || !connection.up) return
    isUpdating = true
    const sent = (sentInfo = info)
    connection.request('presence:update', { room, info }, ({ error }) => {
      isUpdating = false
      if (sentInfo !== sent) return sendInfo()
      // After a lost connection the next join has the newest info.
      if (!connection.up) return
      if (error && mayRepeat(error)) {
        sentInfo = undefined
        return void clock.after(error.retryAfterMs ?? RETRY_MS, sendInfo)
      }
      errors['member'] = error
      refresh()
      sendInfo()
    })
  }

  const use = (kind: PresenceKind): (() => void) => {
    uses[kind] += 1
    errors[kind] = undefined
    want(kind)
    refresh()
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      uses[kind] -= 1
      if (uses[kind] > 0) return
      unwant(kind)
      refresh()
    }
  }

  return {
    room,
    observable,
    cursors: cursors.handle,
    get info() {
      return info
    },
    get isUsed() {
      return uses.member + uses.members + uses.count > 0
    },
    setInfo: (value) => {
      info = value
      // A refused join is tried again.
      if (errors['member'] && uses.member > 0) {
        errors['member'] = undefined
        want('member')
        refresh()
      }
      sendInfo()
    },
    join: () => use('member'),
    observe: (countOnly) => use(countOnly ? 'count' : 'members'),
    joined: (id, sent) => {
      errors['member'] = undefined
      sentInfo = sent
      setOwnId(id)
      refresh()
      sendInfo()
      cursors.resend()
    },
    receivePage: (page) => {
      if (page.members) {
        const before = members
        clear()
        put(page.members)
        hasMembers = true
        if (page.settlingMs) {
          const kept = [...before.values()].filter(({ id }) => !members.has(id))
          kept.forEach(set)
          settling.begin(
            kept.map(({ id }) => id),
            page.settlingMs,
          )
        }
      }
      count = page.count
      errors[page.members ? 'members' : 'count'] = undefined
      refresh()
    },
    receiveChange: (change) => {
      for (const id of change.left ?? []) remove(id)
      put(change.joined)
      put(change.updated)
      count = change.count
      refresh()
    },
    receiveCursors: cursors.receive,
    lost: settling.pause,
    refused: (kind, error) => {
      errors[kind] = error
      if (kind === 'member') setOwnId(undefined)
      else {
        clear()
        count = undefined
      }
      refresh()
    },
    gone: (kind) => {
      if (kind === 'member') setOwnId(undefined)
      if (kind === 'members') {
        clear()
        hasMembers = false
      }
      refresh()
    },
  }
}
