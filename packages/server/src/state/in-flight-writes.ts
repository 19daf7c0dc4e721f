import type { Connection } from '../connection/connection.ts'

class InFlightWrite {
  readonly key: string
  /** What waits for the reply. */
  waiters: (() => void)[] | undefined

  constructor(key: string) {
    this.key = key
  }
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
  const writes = new WeakMap<Connection, InFlightWrite[]>()
  return {
    begin: (connection, key) => {
      const write = new InFlightWrite(key)
      let own = writes.get(connection)
      if (own === undefined) writes.set(connection, (own = []))
      own.push(write)
      return () => {
        const last = own.pop()
        if (last !== undefined && last !== write) own[own.indexOf(write)] = last
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
