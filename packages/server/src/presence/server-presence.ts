import type { Coordination, Member } from '@tutti/coordination/contract'
import { parseRoom } from '@tutti/protocol'

/** Presence in server code: `realtime.presence`. Without presence every call throws or rejects with `UNSUPPORTED`. */
export interface ServerPresence {
  /**
   * The members of a room, up to `maxMembers`, in the order in which they joined.
   *
   * @throws {RealtimeError} `INVALID_ROOM`, `UNAVAILABLE`.
   */
  members(room: string): Promise<readonly Member[]>
  /**
   * The number of members, those that are not listed included.
   *
   * @throws {RealtimeError} `INVALID_ROOM`, `UNAVAILABLE`.
   */
  count(room: string): Promise<number>
  /**
   * Runs the listener when the first member joined a room, on one instance of the cluster: that of the member. Returns an
   * unsubscribe function.
   */
  onRoomOpen(listener: (room: string) => void): () => void
  /** Runs the listener when the last member left a room, on one instance of the cluster. Returns an unsubscribe function. */
  onRoomEmpty(listener: (room: string) => void): () => void
}

/** `realtime.presence` of one server. */
export function createServerPresence(coordination: () => Coordination): ServerPresence {
  const read = async <Result>(
    name: string,
    result: (view: { members: ReadonlyMap<string, Member>; count: number }) => Result,
  ): Promise<Result> => {
    const view = coordination().members(parseRoom(name)).observe()
    try {
      await view.ready
      return result(view)
    } finally {
      view.close()
    }
  }
  return {
    members: (room) => read(room, ({ members }) => [...members.values()]),
    count: (room) => read(room, ({ count }) => count),
    onRoomOpen: (listener) => coordination().onRoomOpen(listener),
    onRoomEmpty: (listener) => coordination().onRoomEmpty(listener),
  }
}
