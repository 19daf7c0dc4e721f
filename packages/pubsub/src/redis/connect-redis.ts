import type { Commands, CommandsOptions } from './commands.ts'
import { connectClients, nodeClient } from './ioredis-clients.ts'
import { createRedisClient, type RedisClient, type RedisClientOptions } from './redis-client.ts'
import type { RedisConnectionOptions } from './options.ts'
import { createClusterSubscriber } from './cluster/cluster-subscriber.ts'
import type { RedisAddress } from './redis-address.ts'
import { createRedisCluster } from './cluster/redis-cluster.ts'
import { createRedisNode } from './redis-node.ts'

/** The connections for commands, and the connection for subscriptions. */
export interface RedisSides {
  pub: Commands
  sub: RedisClient
}

/** Creates both, connecting, to one server or to a Cluster. Throws `INVALID_OPTIONS`. */
export function connectRedis(
  options: RedisConnectionOptions,
  name: string,
  commands: CommandsOptions,
  subEvents: RedisClientOptions,
): RedisSides {
  const [seed] = options.cluster ?? []
  if (options.cluster === undefined || seed === undefined) {
    const clients = connectClients(options, name)
    const sub = createRedisClient(clients.sub, clients.owned, subEvents)
    sub.open()
    return { pub: createRedisNode(clients.pub, clients.owned, commands), sub }
  }
  const connect = (role: 'pub' | 'sub') => (address: RedisAddress) => nodeClient(options, address, `${name}:${role}`)
  const subscriber = createClusterSubscriber(connect('sub'), seed)
  const sub = createRedisClient(subscriber.client, true, subEvents)
  const pub = createRedisCluster({
    ...commands,
    seeds: options.cluster,
    connect: connect('pub'),
    onMap: (map) => subscriber.follow(sub, map),
  })
  return { pub, sub }
}
