import type { Connection } from './connection.ts'

/** The rooms of connections that have no socket: what Socket.IO's adapter is for those that have one. */
export class LocalRooms {
  private readonly rooms = new Map<string, Set<Connection>>()

  /** No connection is in any room. */
  get isEmpty(): boolean {
    return this.rooms.size === 0
  }

  has(room: string): boolean {
    return this.rooms.has(room)
  }

  join(room: string, connection: Connection): void {
    const members = this.rooms.get(room)
    if (members === undefined) this.rooms.set(room, new Set([connection]))
    else members.add(connection)
  }

  leave(room: string, connection: Connection): void {
    const members = this.rooms.get(room)
    if (members?.delete(connection) === true && members.size === 0) this.rooms.delete(room)
  }

  /** The members of any of the rooms, each once. */
  membersOf(rooms: readonly string[]): ReadonlySet<Connection> {
    if (this.isEmpty) return NONE
    return new Set(rooms.flatMap((room) => [...(this.rooms.get(room) ?? [])]))
  }
}

const NONE: ReadonlySet<Connection> = new Set()
