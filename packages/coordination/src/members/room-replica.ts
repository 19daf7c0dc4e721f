import { RealtimeError, type JsonValue } from '@tutti/protocol'
import { createDeferred, createListeners } from '@tutti/protocol/internal'
import type { Cursors, Member, MembersChange, MembersView, ViewListener } from '../contract.ts'
import { isSameMember } from './member-info.ts'

/** A change of the members of a room, before it is compared with what is known here. */
export interface RoomChange {
  /** Members that joined, were updated, or are as before. */
  readonly present: readonly Member[]
  /** Ids of members that are no more. */
  readonly left: readonly string[]
  /** All members after the change. */
  readonly count: number
}

/** The copy of a room's members that all views of one instance share. */
export interface RoomReplica {
  readonly members: ReadonlyMap<string, Member>
  readonly count: number
  readonly cursors: ReadonlyMap<string, JsonValue>
  /** Whether a view is open. */
  readonly hasViews: boolean
  observe(listener: ViewListener): MembersView
  /** The copy is complete: `ready` of views settles, and they receive changes from now on. */
  open(): void
  /** Applies a change, and notifies the views of the difference. */
  apply(change: RoomChange): void
  /** Keeps the cursors of members and passes them to the views. */
  moveCursors(cursors: Cursors): void
  /** Ends all views; those that are not ready reject with the error. */
  close(error?: unknown): void
}

/** What a replica needs. */
export interface RoomReplicaOptions {
  onListenerError: (error: unknown) => void
  /** How long members may still be missing. */
  settlingMs: () => number
  /** The last view was closed by its owner. */
  onUnobserved: () => void
}

/** Makes a copy that is empty and not open. */
export function createRoomReplica({ onListenerError, settlingMs, onUnobserved }: RoomReplicaOptions): RoomReplica {
  const members = new Map<string, Member>()
  const cursors = new Map<string, JsonValue>()
  const changes = createListeners<[MembersChange]>(onListenerError)
  const moves = createListeners<[Cursors]>(onListenerError)
  const views = new Set<() => void>()
  const opened = createDeferred<void>()
  let count = 0

  return {
    members,
    cursors,
    get count() {
      return count
    },
    get hasViews() {
      return views.size > 0
    },
    observe: ({ onChange, onCursors }) => {
      const stops: (() => void)[] = []
      const end = (): void => {
        views.delete(end)
        for (const stop of stops) stop()
      }
      views.add(end)
      const ready = opened.promise.then(() => {
        if (!views.has(end)) throw new RealtimeError('CLOSED')
        if (onChange !== undefined) stops.push(changes.add(onChange))
        if (onCursors !== undefined) stops.push(moves.add(onCursors))
      })
      ready.catch(end)
      return {
        ...{ ready, members, cursors },
        get count() {
          return count
        },
        get settlingMs() {
          return settlingMs()
        },
        close: () => {
          if (!views.has(end)) return
          end()
          if (views.size === 0) onUnobserved()
        },
      }
    },
    open: () => opened.resolve(),
    apply: (change) => {
      const joined: Member[] = []
      const updated: Member[] = []
      for (const member of change.present) {
        const known = members.get(member.id)
        if (known !== undefined && isSameMember(known, member)) continue
        if (known === undefined) joined.push(member)
        else updated.push(member)
        members.set(member.id, member)
      }
      const left = change.left.filter((id) => members.delete(id))
      for (const id of left) cursors.delete(id)
      const isSame = joined.length + updated.length + left.length === 0 && count === change.count
      count = change.count
      if (!isSame) changes.emit({ joined, updated, left, count })
    },
    moveCursors: (moved) => {
      const own = Object.entries(moved).filter(([id]) => members.has(id))
      if (own.length === 0) return
      for (const [id, data] of own) cursors.set(id, data)
      moves.emit(Object.fromEntries(own))
    },
    close: (error = new RealtimeError('CLOSED')) => {
      opened.reject(error)
      for (const end of views) end()
    },
  }
}
