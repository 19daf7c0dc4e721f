import type { Connection } from '../connection/connection.ts'
import type { SubscriptionRegistry } from './subscription-registry.ts'

/** Keys whose entries are sent to a slow connection at a time: what it does not read is that much at most. */
const BATCH = 20

/** Connections that read too slowly (C4). */
export interface SlowConsumers {
  /** Too much waits for the connection. */
  add(connection: Connection): void
  /** The connections that are not sent this change of the key, by id. The key is remembered for them. */
  excluded(key: string): readonly string[]
  /** Whether the connection is not sent this change of the key. If so, the key is remembered for it. */
  isExcluded(connection: Connection, key: string): boolean
  /** The connection is closed. */
  delete(connection: Connection): void
}

const NOBODY: readonly string[] = []

/**
 * Slow connections are sent no changes. The keys that changed are remembered instead, and their newest entries are sent when
 * the connection reads again, no faster than it reads. `sendEntries` reads entries and sends them to a connection.
 */
export function createSlowConsumers(
  { isSubscribed }: Pick<SubscriptionRegistry, 'isSubscribed'>,
  sendEntries: (connection: Connection, keys: readonly string[]) => Promise<void>,
): SlowConsumers {
  const missed = new Map<Connection, Set<string>>()

  const catchUp = async (connection: Connection): Promise<void> => {
    const own = missed.get(connection)
    if (own === undefined) return
    const keys = [...own].slice(0, BATCH)
    for (const key of keys) own.delete(key)
    if (keys.length === 0) return void missed.delete(connection)
    await sendEntries(connection, keys)
    connection.backlog.afterDrain(() => void catchUp(connection))
  }

  const isExcluded = (connection: Connection, key: string): boolean => {
    const own = missed.get(connection)
    if (own === undefined || (!connection.backlog.isFull && !own.has(key)) || !isSubscribed(connection, key)) return false
    own.add(key)
    return true
  }

  return {
    add: (connection) => {
      if (missed.has(connection)) return
      missed.set(connection, new Set())
      connection.backlog.afterDrain(() => void catchUp(connection))
    },
    excluded: (key) =>
      missed.size === 0 ? NOBODY : [...missed.keys()].filter((connection) => isExcluded(connection, key)).map(({ id }) => id),
    isExcluded,
    delete: (connection) => void missed.delete(connection),
  }
}
