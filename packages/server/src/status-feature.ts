import type { Connection } from './connection/connection.ts'
import type { Feature } from './feature.ts'
import type { PubSub } from '@tutti/pubsub'

/**
 * Notifies connections that this instance works without Redis (F4): all of them at each change, and a new one right after its
 * hello if necessary. They stay connected either way.
 */
export function statusFeature(pubsub: PubSub | undefined): Feature {
  const connections = new Set<Connection>()
  let degraded = pubsub?.status === 'unavailable'
  const sendStatus = (connection: Connection): void => connection.send('server:status', { degraded })
  const stop = pubsub?.onStatus((status) => {
    // Neither the first attempt nor the end is an outage.
    if (status === 'closed' || degraded === (status === 'unavailable')) return
    degraded = !degraded
    for (const connection of connections) sendStatus(connection)
  })
  return {
    name: 'status',
    handlers: [],
    onConnect: (connection) => {
      connections.add(connection)
      if (degraded) sendStatus(connection)
    },
    onDisconnect: (connection) => void connections.delete(connection),
    close: async () => stop?.(),
  }
}
