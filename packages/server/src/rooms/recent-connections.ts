import type { Connection } from '../connection/connection.ts'

/** How long the time of a connection is kept, milliseconds. A command is late by the stall of an event loop, in which none connects. */
const KEPT_MS = 10_000

/** How exact the age of a command is, milliseconds: instances know Redis' clock up to the time of a request. */
const CLOCK_ERROR_MS = 50

/** When the connections of the last seconds were opened. */
export interface RecentConnections {
  add(connection: Connection): void
  /** Whether the connection was surely opened in the last `ageMs`. If the clocks leave a doubt, it was not. */
  isNewer(connection: Connection, ageMs: number): boolean
}

/** Makes an empty collection. */
export function createRecentConnections(now: () => number = () => performance.now()): RecentConnections {
  // In the order in which they were opened.
  const opened = new Map<Connection, number>()

  const sweep = (): void => {
    for (const [connection, at] of opened) {
      if (now() - at <= KEPT_MS) return
      opened.delete(connection)
    }
  }
  return {
    add: (connection) => {
      sweep()
      opened.set(connection, now())
    },
    isNewer: (connection, ageMs) => {
      const at = opened.get(connection)
      return at !== undefined && now() - at < ageMs - CLOCK_ERROR_MS
    },
  }
}
