import type { Members, MembersChange, MembersView } from '@tutti/coordination/contract'
import type { JsonValue, PresencePage } from '@tutti/protocol'
import { checkSubscribed } from '../authorization/revocations.ts'
import type { Connection } from '../connection/connection.ts'
import type { FanOut } from '../connection/fan-out.ts'
import { PlacedReply } from '../connection/handler.ts'
import { countRoom, presenceRoom } from '../connection/subscription-names.ts'
import { createPendingChanges, toWireMember, type PendingChanges } from './pending-changes.ts'
import type { SlowObservers } from './slow-observers.ts'
import { createTick } from './tick.ts'

/** Members in one message; the others follow in further ones. */
const MAX_PAGE = 500

/** A client keeps the members that it shows for so long where a reply does not contain all, milliseconds. */
const REST_MS = 2_000

/** Time between two notices of the number of members, milliseconds (P6). */
const COUNT_MS = 1_000

/** A room that has observers on this instance, or members here that move their cursors. */
export interface PresenceRoom {
  /** Sends the members, or their number, and all changes from then on. */
  subscribe(connection: Connection, countOnly: boolean): PlacedReply<PresencePage>
  unsubscribe(connection: Connection, countOnly: boolean): void
  /** A member of this instance moved its cursor. */
  move(id: string, data: JsonValue): void
  /** Sends to one connection what it missed. */
  catchUp(connection: Connection, missed: PendingChanges): void
  /** Ends the view if no connection observes the room any more. */
  collect(): void
  close(): void
}

/** What a room needs. */
export interface PresenceRoomOptions {
  readonly members: Members
  readonly fanOut: FanOut
  readonly slow: SlowObservers
  readonly tickMs: number
  /** Nothing of the room is left. */
  onUnused(): void
}

/** Makes a room. It has a view of the members while a connection observes it, and a timer while something is to be sent. */
export function createPresenceRoom({ members, fanOut, slow, tickMs, onUnused }: PresenceRoomOptions): PresenceRoom {
  const { room } = members
  const pending = createPendingChanges({ dropsEnded: false })
  const own = new Map<string, JsonValue>()
  let view: MembersView | undefined
  /** Subscriptions without a reply. */
  let waiting = 0
  /** Nothing of the room is left but the cursors that wait for the tick. */
  let isUnused = false
  let sentCount: number | undefined

  const tick = createTick(tickMs, () => {
    if (own.size > 0) members.publishCursors(Object.fromEntries(own))
    own.clear()
    if (isUnused) return onUnused()
    const { count = 0 } = view ?? {}
    const change = pending.take()
    if (change !== undefined) {
      const except = slow.excluded(room, (missed) => missed.add(change))
      fanOut.emit([presenceRoom(room)], 'presence:changed', { room, ...change, count }, except)
    }
    const cursors = pending.takeCursors()
    if (cursors !== undefined) {
      const except = slow.excluded(room, (missed) => missed.addCursors(cursors))
      fanOut.emit([presenceRoom(room)], 'presence:cursors', { room, cursors }, except)
    }
  })
  const countTick = createTick(COUNT_MS, () => {
    if (view === undefined || view.count === sentCount) return
    sentCount = view.count
    fanOut.emit([countRoom(room)], 'presence:count', { room, count: sentCount }, slow.excludedFromCount(room))
  })

  const onChange = (change: MembersChange): void => {
    pending.add(change)
    tick.plan()
    if (change.count !== sentCount && fanOut.hasReceivers(countRoom(room))) countTick.plan()
  }
  const open = (): MembersView => {
    const opened = members.observe({
      onChange,
      onCursors: (cursors) => {
        pending.addCursors(cursors)
        tick.plan()
      },
    })
    opened.ready.catch(() => {
      if (view === opened) view = undefined
    })
    return opened
  }
  const collect = (): void => {
    if (waiting > 0 || fanOut.hasReceivers(presenceRoom(room)) || fanOut.hasReceivers(countRoom(room))) return
    close()
    isUnused = true
    if (own.size === 0) onUnused()
  }
  const close = (): void => {
    view?.close()
    view = undefined
    sentCount = undefined
    pending.take()
    pending.takeCursors()
    countTick.cancel()
    if (own.size === 0) tick.cancel()
  }

  const sendMembers = (connection: Connection, from: MembersView): void => {
    const all = [...from.members.values()]
    const { count } = from
    for (let start = MAX_PAGE; start < all.length; start += MAX_PAGE) {
      connection.send('presence:changed', { room, joined: all.slice(start, start + MAX_PAGE).map(toWireMember), count })
    }
    if (from.cursors.size > 0) connection.send('presence:cursors', { room, cursors: Object.fromEntries(from.cursors) })
  }

  return {
    subscribe: (connection, countOnly) => {
      const name = countOnly ? countRoom(room) : presenceRoom(room)
      waiting += 1
      isUnused = false
      const current = (view ??= open())
      let isReady = false
      const page = async (): Promise<PresencePage> => {
        await current.ready
        isReady = true
        const { count, members } = current
        if (countOnly) return { count }
        const settlingMs = Math.max(current.settlingMs, members.size > MAX_PAGE ? REST_MS : 0)
        return { members: [...members.values()].slice(0, MAX_PAGE).map(toWireMember), count, ...(settlingMs > 0 && { settlingMs }) }
      }
      return new PlacedReply(page(), {
        before: () => {
          if (isReady) checkSubscribed(connection, name)
        },
        after: () => {
          waiting -= 1
          // It may have unsubscribed meanwhile, or its right may have ended.
          const isSubscribed = isReady && connection.connected && connection.subscriptions.has(name)
          if (isSubscribed) {
            connection.join(name)
            slow.forget(connection, room)
            if (!countOnly) sendMembers(connection, current)
          } else if (!isReady) connection.subscriptions.delete(name)
          collect()
        },
      })
    },
    unsubscribe: (connection, countOnly) => {
      const name = countOnly ? countRoom(room) : presenceRoom(room)
      connection.leave(name)
      connection.subscriptions.delete(name)
      collect()
    },
    move: (id, data) => {
      isUnused = false
      own.set(id, data)
      tick.plan()
    },
    catchUp: (connection, missed) => {
      if (view === undefined) return
      const { count } = view
      if (connection.subscriptions.has(countRoom(room))) connection.send('presence:count', { room, count })
      if (!connection.subscriptions.has(presenceRoom(room))) return
      const change = missed.take()
      if (change !== undefined) connection.send('presence:changed', { room, ...change, count })
      const cursors = missed.takeCursors()
      if (cursors !== undefined) connection.send('presence:cursors', { room, cursors })
    },
    collect,
    close: () => {
      own.clear()
      close()
    },
  }
}
