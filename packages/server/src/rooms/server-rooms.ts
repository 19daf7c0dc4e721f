import { parseRoom, parseValue, type JsonValue } from '@tutti/protocol'
import {
  flag,
  isJsonObject,
  parseMessageName,
  parseOptions,
  wholeNumber,
  type OptionRow,
  type OptionRows,
  type RoomCommand,
  type RoomResult,
} from '@tutti/protocol/internal'
import type { RoomsSettings } from './rooms-options.ts'
import { selectionOf, targetOf } from './room-target.ts'
import type { InstanceResult, RoomCallOptions, RoomCalls, RoomSendOptions, RoomsReply } from './rooms-contract.ts'

/** What a call is made with. */
export interface RoomCallsContext extends RoomsSettings {
  /** Sends a command to all instances. */
  send(
    command: RoomCommand,
    options: { timeoutMs: number; confirm: boolean },
  ): Promise<{ results: ReadonlyMap<string, RoomResult>; missing: readonly string[] }>
  /** Throws `INVALID_VALUE` for a message that its schema refuses. */
  check(name: string, data: JsonValue, room: string | undefined): void
}

const CALL = { timeoutMs: wholeNumber(1, undefined), confirm: flag(true) } satisfies OptionRows<RoomCallOptions>
const except: OptionRow<undefined> = ['a target or a list of targets', (value) => Array.isArray(value) || isJsonObject(value), undefined]
const SEND = { ...CALL, except } satisfies OptionRows<RoomSendOptions>

const namesOf = (names: string | readonly string[]): string[] => (typeof names === 'string' ? [names] : [...names]).map(parseRoom)

/** Makes the calls of one process. */
export function createRoomCalls({ send, check, timeoutMs: defaultMs, maxResults }: RoomCallsContext): RoomCalls {
  const call = async (command: RoomCommand, owner: string, options: RoomCallOptions = {}) => {
    const { timeoutMs = defaultMs, confirm } = parseOptions(owner, CALL, options)
    return send(command, { timeoutMs, confirm })
  }
  const apply = async (command: RoomCommand, options: RoomCallOptions | undefined): Promise<RoomsReply<InstanceResult>> => {
    const { results, missing } = await call(command, command.do, options)
    return { results: [...results].map(([instance, { count }]) => ({ instance, connections: count })), missing }
  }
  const sendTo = async (
    to: RoomCommand['to'],
    name: string,
    data: JsonValue,
    options: RoomSendOptions = {},
  ): Promise<RoomsReply<InstanceResult>> => {
    const { except: excepted, ...others } = parseOptions<RoomSendOptions, typeof SEND>('send', SEND, options)
    const { rooms = [] } = to
    const [room] = rooms.length === 1 ? rooms : []
    const message = { ...(room !== undefined && { room }), name: parseMessageName(name), data: parseValue(data) }
    check(message.name, message.data, room)
    return apply({ do: 'send', to, ...(excepted && { except: selectionOf(excepted) }), message }, others)
  }
  const listOf = async <Result>(
    command: RoomCommand,
    options: RoomCallOptions | undefined,
    read: (instance: string, result: RoomResult) => readonly Result[],
  ) => {
    const { results, missing } = await call(command, command.do, options)
    const counts = [...results.values()].map(({ count }) => count)
    return {
      results: [...results].flatMap(([instance, result]) => read(instance, result)),
      count: counts.reduce((sum, count) => sum + count, 0),
      most: Math.max(0, ...counts),
      missing,
    }
  }
  return {
    rooms: {
      join: async (target, rooms, options) => apply({ do: 'join', ...targetOf(target), rooms: namesOf(rooms) }, options),
      leave: async (target, rooms, options) => apply({ do: 'leave', ...targetOf(target), rooms: namesOf(rooms) }, options),
      move: async (target, from, to, options) =>
        apply({ do: 'move', ...targetOf(target), from: namesOf(from), rooms: namesOf(to) }, options),
      broadcast: async (rooms, name, data, options) => sendTo({ rooms: namesOf(rooms) }, name, data, options),
      disconnect: async (target, options) => apply({ do: 'disconnect', ...targetOf(target) }, options),
      connections: async (room, options) => {
        const command: RoomCommand = { do: 'connections', to: { rooms: [parseRoom(room)] }, limit: maxResults }
        const list = await listOf(command, options, (instance, { connections = [] }) =>
          connections.map((found) => ({ ...found, instance })),
        )
        return { results: list.results.slice(0, maxResults), count: list.count, missing: list.missing }
      },
      of: async (connection, options) => {
        const to = selectionOf({ connection })
        return listOf({ do: 'rooms', to, prefix: '', limit: maxResults }, options, (_instance, { rooms = [] }) =>
          rooms.map(({ room }) => room),
        )
      },
      list: async (prefix = '', options) => {
        const command: RoomCommand = { do: 'rooms', to: { all: true }, prefix: String(prefix), limit: maxResults }
        const { results, most, missing } = await listOf(command, options, (_instance, { rooms = [] }) => rooms)
        const sums = new Map<string, number>()
        for (const { room, connections } of results) sums.set(room, (sums.get(room) ?? 0) + connections)
        const all = [...sums].map(([room, connections]) => ({ room, connections }))
        return { results: all.slice(0, maxResults), count: Math.max(most, all.length), missing }
      },
    },
    broadcast: async (name, data, options) => sendTo({ all: true }, name, data, options),
    user: (id) => {
      const to = selectionOf({ user: id })
      return { send: async (name, data, options) => sendTo(to, name, data, options) }
    },
    connection: (id) => {
      const to = selectionOf({ connection: id })
      return { send: async (name, data, options) => sendTo(to, name, data, options) }
    },
  }
}
