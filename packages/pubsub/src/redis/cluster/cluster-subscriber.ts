import type { Redis } from 'ioredis'
import { nodeName, type ClusterMap } from './cluster-slots.ts'
import type { RedisClient } from '../redis-client.ts'
import type { RedisAddress } from '../redis-address.ts'
import { retryDelayMs } from '../redis-options.ts'

/** The `sub` connection to a Cluster: to one node, which delivers the messages of all nodes. */
export interface ClusterSubscriber {
  readonly client: Redis
  /** Starts to connect, or leaves a node that no longer belongs to the Cluster. */
  follow(connection: RedisClient, map: ClusterMap): void
}

/**
 * A plain client that moves to another node at each reconnect attempt (N1). `make` returns a client that does not connect yet.
 */
export function createClusterSubscriber(
  make: (address: RedisAddress) => Redis,
  seed: RedisAddress,
  random = Math.random,
): ClusterSubscriber {
  let nodes: readonly RedisAddress[] = []
  let place = 0
  const client = make(seed)

  const move = (): void => {
    place += 1
    // ioredis reads them at each attempt.
    Object.assign(client.options, nodes[place % nodes.length])
  }
  client.options.retryStrategy = (attempt) => {
    move()
    return retryDelayMs(attempt)
  }

  return {
    client,
    follow: (connection, map) => {
      const isFirst = nodes.length === 0
      nodes = map.nodes
      const { host = '', port = 0 } = client.options
      if (isFirst) {
        // Spreads the instances over the nodes.
        place = Math.floor(random() * nodes.length)
        move()
        connection.open()
      } else if (!nodes.some((node) => nodeName(node) === nodeName({ host, port }))) connection.drop()
    },
  }
}
