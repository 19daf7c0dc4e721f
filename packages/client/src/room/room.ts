import { isKey, RealtimeError, roomKey, type JsonValue } from '@tutti/protocol'
import { byteLength, callback, MAX_ROOM_BYTES, parseOptions, roomPrefix, type OptionRows } from '@tutti/protocol/internal'
import { assertName } from '../assert-name.ts'
import type { RealtimeClient } from '../create-realtime-client.ts'
import type { EventContext, PublishOptions } from '../events/events.ts'
import type { lock as lockFunction } from '../lock/lock.ts'
import type { Lock, LockOptions } from '../lock/lock-contract.ts'
import { messages, type Messages } from '../messages/messages.ts'
import type { Observable } from '../observable.ts'
import type { Presence, PresenceOptions } from '../presence/presence-contract.ts'
import { presence } from '../presence/presence.ts'
import type { StateHandle, StateOptions } from '../state/state-contract.ts'
import { roomMembershipsOf, type RoomSnapshot } from './room-memberships.ts'

export { roomKey } from '@tutti/protocol'
export type { RoomSnapshot } from './room-memberships.ts'

/** Events on the channels of a room, which are named within it: `typing`, `chat:*`. */
export interface RoomEvents {
  subscribe<Data = JsonValue>(name: string, listener: (data: Data, context: EventContext) => void): () => void
  publish(channel: string, data: unknown, options?: PublishOptions): Promise<void>
}

/**
 * What belongs to one room, under names that no other room has. It shows whether this client is in the room, which it is while it
 * receives its messages, or after `join()`. Dispose of it when it is no longer used: all that was made with it ends.
 */
export interface Room extends Observable<RoomSnapshot> {
  readonly name: string
  /** The full name of a key, channel or prefix (`todos:`) of the room, for other parts of the client. */
  key(name: string): string
  /** A handle on a key of the room. */
  state<Value>(key: string, options: StateOptions<Value> & { default: Value }): StateHandle<Value, Value>
  state<Value>(key: string, options?: StateOptions<Value>): StateHandle<Value>
  readonly events: RoomEvents
  presence<Info = JsonValue, Data = JsonValue>(options?: PresenceOptions<Info>): Presence<Info, Data>
  /** Messages of server code to this room alone. Joins the room. */
  readonly messages: Messages
  /** Joins the room, also after reconnects. */
  join(): void
  /** Ends `join()`. The client stays in the room while it receives its messages. */
  leave(): void
  dispose(): void
}

/** A room with locks: `room(client, name, { lock })`. */
export interface RoomWithLocks extends Room {
  /** A handle on the lock of a key of the room. */
  lock<Info = JsonValue>(key: string, options?: LockOptions<Info>): Lock<Info>
}

/** Parts of a room that are loaded only by applications that use them. */
export interface RoomOptions {
  /** `lock` of `@tutti/client/lock`, for `room.lock`. Without it, the room has no locks. */
  lock?: typeof lockFunction | undefined
}

const OPTIONS = { lock: callback(undefined) } satisfies OptionRows<RoomOptions>

type RoomClient = Pick<RealtimeClient, 'internals' | 'state' | 'events'>

const isRoom = (name: unknown): name is string => isKey(name) && byteLength(name) <= MAX_ROOM_BYTES

/**
 * State, events, presence, messages and, with the option `lock`, locks of one room.
 *
 * @throws {RealtimeError} `INVALID_ROOM`, also for a name of more than 128 bytes; `CLOSED`, `INVALID_OPTIONS`.
 *
 * @example
 * const project = room(client, 'proj:1')
 * const title = project.state('title', { default: '' })
 * project.messages.subscribe('saved', ({ by }) => show(by))
 */
export function room(client: RoomClient, name: string, options: RoomOptions & { lock: typeof lockFunction }): RoomWithLocks
export function room(client: RoomClient, name: string, options?: RoomOptions): Room
export function room(client: RoomClient, name: string, options: RoomOptions = {}): Room | RoomWithLocks {
  const { lock } = parseOptions('room', OPTIONS, options)
  const { internals, events } = client
  assertName(isRoom, name, 'INVALID_ROOM')
  if (internals.isClosed()) throw new RealtimeError('CLOSED')
  const membership = roomMembershipsOf(internals).open(name)
  const ends = new Set<() => void>()
  let endJoin: (() => void) | undefined
  let disposed = false

  /** Ends with the room, or before. */
  const own = (end: () => void): (() => void) => {
    const once = (): void => {
      if (ends.delete(once)) end()
    }
    ends.add(once)
    return once
  }
  const open = <Made>(make: () => Made): Made => {
    if (disposed) throw new RealtimeError('CLOSED')
    return make()
  }
  const disposedWith = <Made extends { dispose(): void }>(made: Made): Made => {
    own(() => made.dispose())
    return made
  }
  const key = (within: string): string => roomKey(name, within)
  const leave = (): void => {
    endJoin?.()
    endJoin = undefined
  }

  const made: Room = {
    name,
    get current() {
      return membership.observable.current
    },
    subscribe: membership.observable.subscribe,
    key,
    state: (within: string, options?: object) => open(() => disposedWith(client.state(key(within), options))),
    events: {
      subscribe: (within, listener) =>
        open(() => {
          const receiver: { run(data: unknown, context: EventContext): void } = { run: listener }
          const prefix = roomPrefix(name)
          return own(events.subscribe(key(within), (data, { channel }) => receiver.run(data, { channel: channel.slice(prefix.length) })))
        }),
      publish: async (within, data, options) => events.publish(key(within), data, options),
    },
    presence: (options) => open(() => disposedWith(presence(client, name, options))),
    messages: {
      subscribe: (pattern, listener) =>
        open(() => {
          const stop = messages(client).subscribe(pattern, (data: never, context) => {
            if (context.room === name) listener(data, context)
          })
          const end = membership.join()
          return own(() => {
            stop()
            end()
          })
        }),
    },
    join: () => open(() => void (endJoin ??= own(membership.join()))),
    leave,
    dispose: () => {
      if (disposed) return
      disposed = true
      for (const end of [...ends]) end()
      membership.close()
    },
  }
  if (!lock) return made
  const lockOf: RoomWithLocks['lock'] = (within, lockOptions) => open(() => disposedWith(lock(client, key(within), lockOptions)))
  return Object.assign(made, { lock: lockOf })
}
