import type { Connection } from '../connection/connection.ts'

interface InFlightWrite {
  readonly key: string
  /** What waits for the reply. */
  waiters: (() => void)[] | undefined
}

/**
 * Writes that have no reply yet, by connection. An entry that is read while they are in flight may include them, so its
 * reply must come after theirs: else a client would apply its pending change on top of its own effect (S2).
 */
export interface InFlightWrites {
  /** A write begins. The returned function reports that its reply was sent. */
  begin(connection: Connection, key: string): () => void
  /** The keys of those that are in flight now. */
  keysOf(connection: Connection): string[]
  /** Settles when the writes of these keys that are in flight now have their replies. */
  replied(connection: Connection, isRequested: (key: string) => boolean): Promise<void>
}

/** Makes the writes of one instance. */
export function createInFlightWrites(): InFlightWrites {
  const writes = new WeakMap<Connection, Set<InFlightWrite>>()
  return {
    begin: (connection, key) => {
      const write: InFlightWrite = { key, waiters: undefined }
      let own = writes.get(connection)
      if (own === undefined) writes.set(connection, (own = new Set()))
      own.add(write)
      return () => {
        own.delete(write)
        for (const resume of write.waiters ?? []) resume()
      }
    },
    keysOf: (connection) => [...(writes.get(connection) ?? [])].map(({ key }) => key),
    replied: async (connection, isRequested) => {
      const requested = [...(writes.get(connection) ?? [])].filter(({ key }) => isRequested(key))
      await Promise.all(requested.map((write) => new Promise<void>((resolve) => void (write.waiters ??= []).push(resolve))))
    },
  }
}
