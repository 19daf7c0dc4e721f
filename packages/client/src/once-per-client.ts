import type { Connection } from './connection/connection-contract.ts'
import type { ClientInternals } from './create-realtime-client.ts'

/** What the handles of one client share, such as its rooms: made for the first handle. */
export function oncePerClient<Shared>(create: (internals: ClientInternals) => Shared): (internals: ClientInternals) => Shared {
  const made = new WeakMap<Connection, Shared>()
  return (internals) => {
    const { connection } = internals
    const known = made.get(connection) ?? create(internals)
    made.set(connection, known)
    return known
  }
}
