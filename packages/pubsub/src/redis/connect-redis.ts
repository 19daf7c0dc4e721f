import type { Commands, CommandsOptions } from './commands.ts'
import { connectClients, nodeClient } from './connect-clients.ts'
import { createConnection, type Connection, type ConnectionOptions } from './connection.ts'
import type { RedisConnectionOptions } from './connection-options.ts'
import { createMovingSubscriber } from './moving-subscriber.ts'
import type { RedisAddress } from './redis-address.ts'
import { createRedisCluster } from './redis-cluster.ts'
import { createRedisNode } from './redis-node.ts'

/** What commands go over, and the connection that listens. */
export interface RedisSides {
  pub: Commands
  sub: Connection
}

/** Makes both, connecting, to one server or to a Cluster. Throws `INVALID_OPTIONS`. */
export function connectRedis(
  options: RedisConnectionOptions,
  name: string,
  commands: CommandsOptions,
  subEvents: ConnectionOptions,
): RedisSides {
  const [seed] = options.cluster ?? []
  if (options.cluster === undefined || seed === undefined) {
    const clients = connectClients(options, name)
    const sub = createConnection(clients.sub, clients.owned, subEvents)
    sub.open()
    return { pub: createRedisNode(clients.pub, clients.owned, commands), sub }
  }
  const connect = (role: 'pub' | 'sub') => (address: RedisAddress) => nodeClient(options, address, `${name}:${role}`)
  const subscriber = createMovingSubscriber(connect('sub'), seed)
  const sub = createConnection(subscriber.client, true, subEvents)
  const pub = createRedisCluster({
    ...commands,
    seeds: options.cluster,
    connect: connect('pub'),
    onMap: (map) => subscriber.follow(sub, map),
  })
  return { pub, sub }
}
