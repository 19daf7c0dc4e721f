import type { Redis } from 'ioredis'
import { nodeName, type ClusterMap } from './cluster-slots.ts'
import type { RedisClient } from '../redis-client.ts'
import type { RedisAddress } from '../redis-address.ts'
import { retryDelayMs } from '../redis-options.ts'

/**
 * The `sub` connection to a Cluster: to one master, which delivers the messages of all nodes. Not to a replica: the subscribers of a
 * channel are counted on the masters.
 */
export interface ClusterSubscriber {
  readonly client: Redis
  /** Starts to connect, or leaves a node that is no longer a master. */
  follow(connection: RedisClient, map: ClusterMap): void
}

/**
 * A plain client that moves to another master at each reconnect attempt (N1). `make` returns a client that does not connect yet.
 */
export function createClusterSubscriber(
  make: (address: RedisAddress) => Redis,
  seed: RedisAddress,
  random = Math.random,
): ClusterSubscriber {
  let masters: readonly RedisAddress[] = []
  let place = 0
  const client = make(seed)

  const move = (): void => {
    place += 1
    // ioredis reads them at each attempt.
    Object.assign(client.options, masters[place % masters.length])
  }
  client.options.retryStrategy = (attempt) => {
    move()
    return retryDelayMs(attempt)
  }

  return {
    client,
    follow: (connection, map) => {
      const isFirst = masters.length === 0
      masters = map.masters
      const { host = '', port = 0 } = client.options
      if (isFirst) {
        // Spreads the instances over the masters.
        place = Math.floor(random() * masters.length)
        move()
        connection.open()
      } else if (!masters.some((master) => nodeName(master) === nodeName({ host, port }))) connection.drop()
    },
  }
}
