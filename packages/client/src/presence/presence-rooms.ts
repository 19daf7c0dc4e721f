import { fromWireError } from '@tutti/protocol'
import type { ClientInternals } from '../create-realtime-client.ts'
import { createSubscriptions } from '../connection/subscriptions.ts'
import { createPresenceRecord, type PresenceRecord } from './presence-record.ts'
import { oncePerClient } from '../once-per-client.ts'

/** What a client wants of a room: to be a member, to receive the members, or to receive their number. */
export type PresenceKind = 'member' | 'members' | 'count'

const KINDS: readonly PresenceKind[] = ['member', 'members', 'count']

/** The rooms that one client uses. */
export interface PresenceRooms {
  /** The record of a room, one for all handles. */
  open(room: string): PresenceRecord
}

/** The rooms of a client, made for its first handle. */
export const presenceRoomsOf = oncePerClient(createPresenceRooms)

const nameOf = (kind: PresenceKind, room: string): string => `${kind} ${room}`

function createPresenceRooms(internals: ClientInternals): PresenceRooms {
  const { connection } = internals
  const records = new Map<string, PresenceRecord>()
  /** Connections so far. */
  let sequence = 1
  const partsOf = (name: string): { kind: string; room: string } => {
    const [kind = ''] = name.split(' ', 1)
    return { kind, room: name.slice(kind.length + 1) }
  }
  const withRecord = (name: string, run: (record: PresenceRecord, kind: string) => void): void => {
    const { kind, room } = partsOf(name)
    const record = records.get(room)
    if (record) run(record, kind)
  }

  const subscriptions = createSubscriptions({
    ...internals,
    batches: (names) => names.map((name) => [name]),
    request: ([name = ''], on, done) =>
      withRecord(name, (record, kind) => {
        const { room } = record
        if (kind === 'member') {
          if (!on) return connection.request('presence:leave', { room }, ({ error }) => done(error))
          const { info } = record
          return connection.request('presence:join', { room, info, sequence }, ({ result, error }) => {
            done(error)
            if (result) record.joined(result.id, info)
          })
        }
        const message = kind === 'count' ? { room, count: true as const } : { room }
        if (!on) return connection.request('presence:unsubscribe', message, ({ error }) => done(error))
        connection.request('presence:subscribe', message, ({ result, error }) => {
          done(error)
          if (result) record.receivePage(result)
        })
      }),
    onRefused: (name, error) => withRecord(name, (record, kind) => record.refused(kind, error)),
    onGone: (name) =>
      withRecord(name, (record, kind) => {
        record.gone(kind)
        if (!record.isUsed && !KINDS.some((other) => subscriptions.has(nameOf(other, record.room)))) records.delete(record.room)
      }),
  })

  connection.attach({
    onUp: subscriptions.restore,
    onDown: () => {
      sequence += 1
      subscriptions.lose()
      for (const record of records.values()) record.lost()
    },
    // An intended end needs no grace. A page that is reloaded or hidden does not close its client.
    onClose: () => {
      for (const { room } of records.values()) if (subscriptions.has(nameOf('member', room))) connection.send('presence:leave', { room })
    },
    'server:revoked': ({ target, error }) => {
      if (!('room' in target) || target.joined) return
      const kinds: PresenceKind[] = target.membership ? ['member'] : ['members', 'count']
      for (const kind of kinds) subscriptions.revoke(nameOf(kind, target.room), fromWireError(error))
    },
    'presence:changed': (change) => records.get(change.room)?.receiveChange(change),
    'presence:cursors': ({ room, cursors }) => records.get(room)?.receiveCursors(cursors),
    'presence:count': ({ room, count }) => records.get(room)?.receivePage({ count }),
  })

  return {
    open: (room) => {
      const record =
        records.get(room) ??
        createPresenceRecord({
          ...internals,
          room,
          want: (kind) => subscriptions.want(nameOf(kind, room)),
          unwant: (kind) => subscriptions.unwant(nameOf(kind, room)),
        })
      records.set(room, record)
      return record
    },
  }
}
