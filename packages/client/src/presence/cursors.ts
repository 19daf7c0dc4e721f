import { jsonCopy, type JsonValue } from '@tutti/protocol'
import type { Clock } from '../connection/clock.ts'
import { createObservable } from '../observable.ts'
import type { PresenceCursor, PresenceCursors, PresenceMember } from './presence-contract.ts'

/** Time between two messages with the own cursor, milliseconds: the default tick of the server. */
const TICK_MS = 50

/** The cursors of one room. */
export interface Cursors {
  readonly handle: PresenceCursors<unknown, unknown>
  receive(cursors: { readonly [id: string]: JsonValue }): void
  /** The member is gone. */
  forget(id: string): void
  /** Members have changed. */
  refresh(): void
  /** This client became a member: the server does not know its cursor. */
  resend(): void
}

/** What cursors need. */
export interface CursorsOptions {
  readonly clock: Clock
  readonly onThrow: (error: unknown) => void
  /** Another member, if it is known. */
  memberOf(id: string): PresenceMember<unknown> | undefined
  send(data: JsonValue): void
}

type Cursor = PresenceCursor<unknown, unknown>

const NONE: readonly Cursor[] = []

/** Makes the cursors of one room: the newest of each member, and the own one, sent at most once per tick. */
export function createCursors({ clock, onThrow, memberOf, send }: CursorsOptions): Cursors {
  const { observable, show } = createObservable(NONE, onThrow)
  const newest = new Map<string, Omit<Cursor, 'member'>>()
  let shown = new Map<string, Cursor>()
  let own: JsonValue = null
  let isWaiting = false
  let isChanged = false

  const refresh = (): void => {
    const before = shown
    shown = new Map()
    for (const [id, { data, movedAt }] of newest) {
      const member = memberOf(id)
      const known = before.get(id)
      if (member)
        shown.set(id, known?.member === member && known.movedAt === movedAt && known.data === data ? known : { member, data, movedAt })
    }
    if (shown.size !== before.size || [...shown].some(([id, cursor]) => before.get(id) !== cursor)) show([...shown.values()])
  }

  const sendOwn = (): void => {
    if (isWaiting || !isChanged) return
    isWaiting = true
    isChanged = false
    send(own)
    clock.after(TICK_MS, () => {
      isWaiting = false
      sendOwn()
    })
  }

  return {
    handle: Object.assign(observable, {
      set: (data: unknown) => {
        own = jsonCopy(data)
        isChanged = true
        sendOwn()
      },
    }),
    receive: (cursors) => {
      for (const [id, data] of Object.entries(cursors)) {
        if (data === null) newest.delete(id)
        else newest.set(id, { data, movedAt: clock.now() })
      }
      refresh()
    },
    forget: (id) => void newest.delete(id),
    refresh,
    resend: () => {
      isChanged ||= own !== null
      sendOwn()
    },
  }
}
