import { parseRoom, RealtimeError } from '@tutti/protocol'
import type { Members } from '../contract.ts'

/** A room that this instance follows. */
export interface OpenRoom extends Members {
  close(error?: unknown): void
}

/** The rooms that an instance follows, each opened when it is first used and forgotten when it is not used. */
export interface RoomRegistry<Room extends OpenRoom> {
  /** Throws `CLOSED`, and `INVALID_ROOM` for a name that `parseRoom` refuses, except one that begins with `$`. */
  members(room: string): Members
  /** The open rooms. */
  readonly open: ReadonlyMap<string, Room>
  close(): void
}

/** Makes a registry. `create` makes a room, which calls `onUnused` when it has neither members nor views. */
export function createRoomRegistry<Room extends OpenRoom>(create: (room: string, onUnused: () => void) => Room): RoomRegistry<Room> {
  const open = new Map<string, Room>()
  let isClosed = false

  const find = (name: string): Room | undefined => {
    if (isClosed) throw new RealtimeError('CLOSED')
    return open.get(name)
  }
  const use = (name: string): Room => {
    const known = find(name)
    if (known !== undefined) return known
    const room: Room = create(name, () => {
      if (open.get(name) === room) open.delete(name)
      room.close()
    })
    open.set(name, room)
    return room
  }

  return {
    open,
    members: (room) => {
      if (isClosed) throw new RealtimeError('CLOSED')
      // Rooms of our own features begin with `$`, which no room of a client does (X3).
      parseRoom(room.startsWith('$') ? room.slice(1) : room)
      return {
        room,
        observe: (listener) => use(room).observe(listener),
        join: async (identity, info) => use(room).join(identity, info),
        update: async (connectionId, info) => find(room)?.update(connectionId, info),
        leave: async (connectionId) => find(room)?.leave(connectionId),
        disconnect: (connectionId) => open.get(room)?.disconnect(connectionId),
        publishCursors: (cursors) => open.get(room)?.publishCursors(cursors),
      }
    },
    close: () => {
      isClosed = true
      for (const room of open.values()) room.close()
      open.clear()
    },
  }
}
