import type { Redis } from 'ioredis'
import { nodeName, type ClusterMap } from './cluster-slots.ts'
import type { RedisClient } from '../redis-client.ts'
import type { RedisAddress } from '../redis-address.ts'
import { retryDelayMs } from '../redis-options.ts'

/** Where the `sub` connection to a Cluster leads: to one node, which hears what is published on all of them. */
export interface ClusterSubscriber {
  readonly client: Redis
  /** Begins to connect, or leaves a node that is no longer one of the Cluster's. */
  follow(connection: RedisClient, map: ClusterMap): void
}

/** A plain client that goes on to another node at each attempt to connect again (N1). `make` gives a client that waits to be told to connect. */
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
        // So that the instances are spread over the nodes.
        place = Math.floor(random() * nodes.length)
        move()
        connection.open()
      } else if (!nodes.some((node) => nodeName(node) === nodeName({ host, port }))) connection.drop()
    },
  }
}
