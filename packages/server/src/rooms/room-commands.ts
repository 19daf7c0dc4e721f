import type { ReceivedCommand } from '@tutti/coordination/contract'
import { RealtimeError, toWireError } from '@tutti/protocol'
import type { RoomCommand, RoomResult } from '@tutti/protocol/internal'
import type { Connection } from '../connection/connection.ts'
import type { FanOut } from '../connection/fan-out.ts'
import type { Rooms } from '../connection/rooms.ts'
import { applicationRoom, roomOfApplication, userRoom } from '../connection/subscription-names.ts'
import type { RoomMemberships } from './room-memberships.ts'

/** What commands change here. */
export interface RoomCommandsContext {
  readonly rooms: Rooms
  readonly fanOut: FanOut
  readonly memberships: RoomMemberships
  /** The connection leaves the presence of a room. */
  readonly leavePresence: (connection: Connection, room: string) => Promise<unknown>
}

/** How exact the age of a command is, milliseconds: instances know Redis' clock up to the time of a request. */
const CLOCK_ERROR_MS = 50

/** Whether the connection was surely opened after a command of this age was sent. If the clocks leave a doubt, it was not. */
export const isNewer = ({ openedAt }: Pick<Connection, 'openedAt'>, ageMs: number, now = performance.now()): boolean =>
  now - openedAt < ageMs - CLOCK_ERROR_MS

type Selection = RoomCommand['to']
type Lateness = Pick<ReceivedCommand, 'ageMs' | 'isLate'>

const REMOVED = toWireError(new RealtimeError('FORBIDDEN', { message: 'The server removed this connection from the room.' }))

/** Ids of connections have no `$`, names of internal rooms begin with it. */
const isId = (id: string): boolean => !id.startsWith('$')

/** Makes the function that applies a command to the connections of this instance. What needs no waiting is done before it returns. A message that is too late is not sent: `null`. */
export function createRoomCommands({ rooms, fanOut, memberships, leavePresence }: RoomCommandsContext) {
  const namesOf = ({ all, connections = [], users = [], rooms: named = [] }: Selection): string[] =>
    all ? rooms.ids() : [...connections.filter(isId), ...users.map(userRoom), ...named.map(applicationRoom)]
  const exceptedBy = (except: Selection | undefined): string[] =>
    except === undefined ? [] : rooms.membersOf(namesOf(except)).map(({ id }) => id)

  const select = ({ to, except }: RoomCommand): readonly Connection[] => {
    const excepted = new Set(exceptedBy(except))
    return rooms.membersOf(namesOf(to)).filter(({ id }) => !excepted.has(id))
  }
  const remove = async (connections: readonly Connection[], from: readonly string[]): Promise<void> => {
    const leaving = connections.flatMap((connection) => from.map((room) => [connection, room] as const))
    for (const [connection, room] of leaving) {
      const reasons = memberships.remove(connection, room)
      if (reasons.has('client')) connection.send('server:revoked', { target: { room, joined: true }, error: REMOVED })
      if (reasons.has('presence')) connection.send('server:revoked', { target: { room, membership: true }, error: REMOVED })
    }
    await Promise.all(leaving.map(([connection, room]) => leavePresence(connection, room)))
  }
  const join = (connections: readonly Connection[], names: readonly string[]): void => {
    for (const connection of connections) for (const room of names) memberships.join(connection, room, 'server')
  }
  const listed = (prefix: string): { room: string; connections: number }[] =>
    rooms
      .names()
      .flatMap((name) => roomOfApplication(name) ?? [])
      .filter((room) => room.startsWith(prefix))
      .map((room) => ({ room, connections: rooms.membersOf([applicationRoom(room)]).length }))

  return (command: RoomCommand, { ageMs, isLate }: Lateness): RoomResult | null | Promise<RoomResult> => {
    switch (command.do) {
      case 'send': {
        // Its caller may have sent it again.
        if (isLate) return null
        const { to, except, message } = command
        return { count: fanOut.emit(namesOf(to), 'room:received', message, exceptedBy(except)) }
      }
      case 'join': {
        const connections = select(command)
        join(connections, command.rooms)
        return { count: connections.length }
      }
      case 'leave': {
        const connections = select(command)
        return remove(connections, command.rooms).then(() => ({ count: connections.length }))
      }
      case 'move': {
        const connections = select(command)
        const removing = remove(
          connections,
          command.from.filter((room) => !command.rooms.includes(room)),
        )
        join(connections, command.rooms)
        return removing.then(() => ({ count: connections.length }))
      }
      case 'disconnect': {
        const connections = select(command).filter((connection) => !isLate || !isNewer(connection, ageMs))
        for (const connection of connections) connection.disconnect()
        return { count: connections.length }
      }
      case 'connections': {
        const connections = select(command)
        const list = connections.slice(0, command.limit).map(({ id, user, clientId }) => ({ id, user, clientId }))
        return { count: connections.length, connections: list }
      }
      case 'rooms': {
        const [connection] = select(command)
        const own = connection === undefined ? [] : memberships.roomsOf(connection)
        const list = command.to.all ? listed(command.prefix) : own.map((room) => ({ room, connections: 1 }))
        return { count: list.length, rooms: list.slice(0, command.limit) }
      }
    }
  }
}
