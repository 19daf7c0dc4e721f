import type { Members, MembersView } from '@tutti/coordination/contract'
import type { AwarenessState, JsonValue } from '@tutti/protocol'
import { toError } from '@tutti/protocol/internal'
import type { Connection, Core } from '@tutti/server/internal'

/** Notices of what clients show are sent at most once in this time, milliseconds. */
const TICK_MS = 50

/** What clients show in one document: the connections of this instance that show it or receive it (D7). */
export interface AwarenessRoom {
  /** The connection shows this from now on, and receives what others show. */
  show(connection: Connection, state: AwarenessState): Promise<void>
  /** The connection reads slowly: it receives nothing until it has read everything, and then the newest states. */
  defer(connection: Connection): void
  /** The connection shows and receives nothing any more. Does nothing where it did not. */
  leave(connection: Connection): void
  close(): void
}

/** What a room needs. */
export interface AwarenessRoomOptions {
  document: string
  /** Members of the document in the cluster: their cursors are the states. */
  members: Members
  fanOut: Core['fanOut']
  onError: (error: unknown) => void
  /** No connection is left. */
  onUnused: () => void
}

/** A connection in the room. */
interface Guest {
  /** Settles with the id of its membership, once it shows something. */
  member: Promise<string> | undefined
  isSlow: boolean
}

/** The room of the connections that receive what is shown in a document. */
const awarenessRoom = (document: string): string => `$awareness:${document}`

/** Makes the room of one document, and follows its members until it is closed. */
export function createAwarenessRoom({ document, members, fanOut, onError, onUnused }: AwarenessRoomOptions): AwarenessRoom {
  const room = awarenessRoom(document)
  const guests = new Map<Connection, Guest>()
  /** States of this instance's members that others have not received. */
  const own = new Map<string, JsonValue>()
  let changed = new Map<string, AwarenessState>()
  let left = new Set<string>()
  let timer: NodeJS.Timeout | undefined

  const view: MembersView = members.observe({
    onChange: (change) => {
      for (const id of change.left) {
        changed.delete(id)
        left.add(id)
      }
      if (left.size > 0) plan()
    },
    onCursors: (cursors) => {
      for (const [id, state] of Object.entries(cursors)) if (isState(state)) changed.set(id, state)
      if (changed.size > 0) plan()
    },
  })
  view.ready.catch(() => {})

  const plan = (): void => {
    timer ??= setTimeout(send, TICK_MS)
  }
  const send = (): void => {
    timer = undefined
    // The view receives them before this returns.
    if (own.size > 0) members.publishCursors(Object.fromEntries(own))
    own.clear()
    const notice = {
      document,
      ...(changed.size > 0 && { states: Object.fromEntries(changed) }),
      ...(left.size > 0 && { left: [...left] }),
    }
    changed = new Map()
    left = new Set()
    clearTimeout(timer)
    timer = undefined
    const slow = [...guests].flatMap(([{ id }, { isSlow }]) => (isSlow ? [id] : []))
    if ('states' in notice || 'left' in notice) fanOut.emit([room], 'document:awareness', notice, slow)
  }
  const sendAll = (connection: Connection): void => {
    const states = [...view.cursors].flatMap(([id, state]) => (isState(state) ? [[id, state] as const] : []))
    connection.send('document:awareness', { document, states: Object.fromEntries(states), all: true })
  }
  const enter = async (connection: Connection): Promise<Guest> => {
    const guest: Guest = { member: undefined, isSlow: false }
    guests.set(connection, guest)
    try {
      await view.ready
    } catch (error) {
      leave(connection)
      throw error
    }
    // It may have closed the document meanwhile.
    if (guests.get(connection) !== guest) return guest
    connection.join(room)
    sendAll(connection)
    return guest
  }
  const join = async (connection: Connection, guest: Guest): Promise<string> => {
    guest.member ??= members.join({ user: connection.user, connectionId: connection.id }).then(({ id }) => id)
    try {
      return await guest.member
    } catch (error) {
      guest.member = undefined
      throw error
    }
  }
  const leave = (connection: Connection): void => {
    const guest = guests.get(connection)
    if (guest === undefined) return
    guests.delete(connection)
    connection.leave(room)
    // A join that is not answered yet is ended after it; `disconnect` is repeated until the store has it.
    void guest.member
      ?.catch(() => {})
      .then(() => members.disconnect(connection.id))
      .catch((error: unknown) => onError(toError(error)))
    if (guests.size === 0) onUnused()
  }

  return {
    show: async (connection, state) => {
      const guest = guests.get(connection) ?? (await enter(connection))
      if (state.state === null && guest.member === undefined) return
      const id = await join(connection, guest)
      if (guests.get(connection) !== guest) return
      own.set(id, { ...state })
      plan()
    },
    defer: (connection) => {
      const guest = guests.get(connection)
      if (guest === undefined || guest.isSlow) return
      guest.isSlow = true
      connection.backlog.afterDrain(() => {
        guest.isSlow = false
        if (guests.get(connection) === guest) sendAll(connection)
      })
    },
    leave,
    close: () => {
      clearTimeout(timer)
      timer = undefined
      view.close()
    },
  }
}

/** Whether an instance has published a state, and no other value. */
const isState = (value: unknown): value is AwarenessState =>
  typeof value === 'object' && value !== null && 'client' in value && typeof value.client === 'number' && 'state' in value
