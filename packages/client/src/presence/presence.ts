import { isKey, jsonCopy, RealtimeError, type JsonValue, type SchemaInfo } from '@tutti/protocol'
import { anything, flag, parseOptions, type OptionRows } from '@tutti/protocol/internal'
import { assertName } from '../assert-name.ts'
import type { RealtimeClient } from '../create-realtime-client.ts'
import type { Presence, PresenceOptions } from './presence-contract.ts'
import { presenceRoomsOf } from './presence-rooms.ts'

export { byUser, type PresentUser } from './by-user.ts'
export type { Presence, PresenceCursor, PresenceCursors, PresenceMember, PresenceOptions, PresenceSnapshot } from './presence-contract.ts'

type AnyClient = Pick<RealtimeClient, 'internals'>

/** Accepts a client only if its schema does not know the info of the room: it then has the type that the caller names. */
type UnknownRoom<Client, Room extends string> =
  Client extends RealtimeClient<infer Types> ? (unknown extends SchemaInfo<Types, Room> ? unknown : never) : unknown

const OPTIONS = { info: anything, count: flag(false) } satisfies OptionRows<PresenceOptions<unknown>>

/**
 * Observes a room, and joins it if `info` is given. The schema of a typed client types `info`. Dispose of it when it is no longer used.
 *
 * @throws {RealtimeError} `INVALID_ROOM`, `INVALID_VALUE` for an info that is not JSON, `INVALID_OPTIONS`, `CLOSED`.
 *
 * @example
 * const room = presence(client, 'doc:1', { info: { name: 'Ada' } })
 * room.subscribe(({ members }) => show(members))
 */
export function presence<Info = JsonValue, Data = JsonValue, Client extends AnyClient = AnyClient, Room extends string = string>(
  client: Client & UnknownRoom<Client, Room>,
  room: Room,
  options?: PresenceOptions<Info>,
): Presence<Info, Data>
/** With the info that the schema of the client knows. */
export function presence<Types extends object, Room extends string>(
  client: RealtimeClient<Types>,
  room: Room,
  options?: PresenceOptions<SchemaInfo<Types, Room>>,
): Presence<SchemaInfo<Types, Room>, JsonValue>
export function presence({ internals }: AnyClient, room: string, options: PresenceOptions<unknown> = {}): Presence<unknown, unknown> {
  const { info, count } = parseOptions('presence', OPTIONS, options)
  const copy = (value: unknown): JsonValue => jsonCopy(value, 'info')
  const first = info === undefined ? undefined : copy(info)
  assertName(isKey, room, 'INVALID_ROOM')
  if (internals.isClosed()) throw new RealtimeError('CLOSED')
  const record = presenceRoomsOf(internals).open(room)
  let endMembership: (() => void) | undefined
  let disposed = false

  const join = (value?: JsonValue): void => {
    if (disposed) throw new RealtimeError('CLOSED')
    record.setInfo(value ?? record.info)
    endMembership ??= record.join()
  }
  const leave = (): void => {
    endMembership?.()
    endMembership = undefined
  }
  // In this order the first reply contains the own member.
  if (first !== undefined) join(first)
  const endObserving = record.observe(count)

  return {
    room,
    get current() {
      return record.observable.current
    },
    subscribe: record.observable.subscribe,
    cursors: record.cursors,
    join: (value) => join(value === undefined ? undefined : copy(value)),
    update: (value) => record.setInfo(copy(value)),
    leave,
    dispose: () => {
      if (disposed) return
      disposed = true
      leave()
      endObserving()
    },
  }
}
