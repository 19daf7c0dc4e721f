import { fromWireError, type RealtimeError } from '@tutti/protocol'
import type { Connection } from '../connection/connection-contract.ts'
import { createSubscriptions } from '../connection/subscriptions.ts'
import type { ClientInternals } from '../create-realtime-client.ts'
import { createObservable, type Observable } from '../observable.ts'

/** Whether this client is in a room. */
export interface RoomSnapshot {
  /** Messages to the room are received. */
  readonly joined: boolean
  /** Why the room cannot be joined. */
  readonly error: RealtimeError | undefined
}

/** The membership of this client in one room, for all its handles. */
export interface RoomMembership {
  readonly observable: Observable<RoomSnapshot>
  /** Joins the room, also after reconnects. Returns a function that ends this; the last one leaves the room. */
  join(): () => void
  /** The handle is disposed of. */
  close(): void
}

/** The rooms that one client has joined. */
export interface RoomMemberships {
  open(room: string): RoomMembership
}

interface Record extends RoomMembership {
  /** Handles that are not disposed of. */
  handles: number
  show(snapshot: RoomSnapshot): void
}

const OUT: RoomSnapshot = { joined: false, error: undefined }

const membershipsOf = new WeakMap<Connection, RoomMemberships>()

/** The memberships of a client, made for its first room. */
export function roomMembershipsOf(internals: ClientInternals): RoomMemberships {
  const memberships = membershipsOf.get(internals.connection) ?? createRoomMemberships(internals)
  membershipsOf.set(internals.connection, memberships)
  return memberships
}

function createRoomMemberships(internals: ClientInternals): RoomMemberships {
  const { connection, onThrow } = internals
  const records = new Map<string, Record>()
  const show = (room: string, snapshot: RoomSnapshot): void => records.get(room)?.show(snapshot)

  const subscriptions = createSubscriptions({
    ...internals,
    batches: (names) => names.map((name) => [name]),
    request: ([room = ''], on, done) =>
      connection.request(on ? 'room:join' : 'room:leave', { room }, ({ error }) => {
        done(error)
        if (on && !error) show(room, { joined: true, error: undefined })
      }),
    onRefused: (room, error) => show(room, { joined: false, error }),
    onGone: (room) => {
      show(room, OUT)
      collect(room)
    },
  })
  /** All handles on a room share its record, so it stays as long as one of them. */
  const collect = (room: string): void => {
    if (records.get(room)?.handles === 0 && !subscriptions.has(room)) records.delete(room)
  }
  connection.attach({
    onUp: subscriptions.restore,
    onDown: () => {
      subscriptions.lose()
      for (const record of records.values()) record.show({ ...record.observable.current, joined: false })
    },
    'server:revoked': ({ target, error }) => {
      if ('room' in target && target.joined) subscriptions.revoke(target.room, fromWireError(error))
    },
  })

  const create = (room: string): Record => {
    const { observable, show: showRecord } = createObservable(OUT, onThrow)
    let uses = 0
    const record: Record = {
      handles: 0,
      observable,
      show: (snapshot) => {
        const { joined, error } = observable.current
        if (snapshot.joined !== joined || snapshot.error !== error) showRecord(snapshot)
      },
      join: () => {
        uses += 1
        subscriptions.want(room)
        let isOver = false
        return () => {
          if (isOver) return
          isOver = true
          uses -= 1
          if (uses === 0) subscriptions.unwant(room)
        }
      },
      close: () => {
        record.handles -= 1
        collect(room)
      },
    }
    return record
  }

  return {
    open: (room) => {
      const record = records.get(room) ?? create(room)
      record.handles += 1
      records.set(room, record)
      return record
    },
  }
}
