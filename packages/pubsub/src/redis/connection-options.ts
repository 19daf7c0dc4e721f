import { RealtimeError, isKey } from '@tutti/protocol'
import type { Redis } from 'ioredis'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { KEEP_ALIVE_MS } from './keep-alive.ts'
import { parseRedisUrl } from './parse-redis-url.ts'
import { MAX_SOCKET_PATH_BYTES, isAddress, isDatabase, isHost, isPort, isSocketPath, type RedisAddress } from './redis-address.ts'
import { COMMAND_TIMEOUT_MS } from './redis-options.ts'

/**
 * Where Redis is (N8): one server by `url`, `host` and `port`, or `path`; the master that `sentinels` name; a Cluster; or two
 * clients of the caller's. `username`, `password`, `db` and `tls` are for the servers themselves, however they are found.
 */
export interface RedisConnectionOptions {
  /**
   * `redis://user:password@host:port/db`, `rediss:` for TLS, or `unix://user:password@/path?db=N`; names and passwords
   * percent-encoded. It has no other parameters. Instead of `host`, `port`, `path`, `username`, `password` and `db`.
   */
  url?: string
  /** Default: localhost. */
  host?: string
  /** Default: 6379. */
  port?: number
  /** A Unix socket, e.g. `/run/redis/redis.sock`. Instead of `host` and `port`. */
  path?: string
  username?: string
  password?: string
  /** Number of the database. Default: 0. Redis channels are shared by all of them; a Cluster has only 0. */
  db?: number
  /** `true`, or options of Node's `tls.connect`. */
  tls?: boolean | TlsOptions
  /** Sentinels, at least one; those they know are asked too. With `name`, instead of `host` and `port`. */
  sentinels?: readonly RedisAddress[]
  /** What the Sentinels call the master. */
  name?: string
  sentinelUsername?: string
  sentinelPassword?: string
  /** TLS to the Sentinels. Default: none. */
  sentinelTls?: boolean | TlsOptions
  /** Nodes of a Cluster, at least one; the others are learnt from it. Instead of `host` and `port`. */
  cluster?: readonly RedisAddress[]
  /** Two connected or connecting clients of one server, `sub` for subscriptions alone. They stay the caller's to close. Instead of all above. */
  clients?: { pub: Redis; sub: Redis }
  /** Separates applications on one Redis; stands before every Redis channel. Default: `tutti`. */
  prefix?: string
  /** When an unanswered command gives up and the connection is made anew, milliseconds. Default: 5,000. */
  commandTimeoutMs?: number
  /**
   * A connection on which nothing was sent for so long is sent a PING, milliseconds, so that nothing in between closes it.
   * Sooner where Redis says that it closes idle connections itself. Default: 10,000.
   */
  keepAliveMs?: number
}

/** Throws `INVALID_OPTIONS` for what contradicts itself or cannot work. */
export function checkConnectionOptions(options: RedisConnectionOptions): void {
  const { url, host, port, path, tls, prefix, commandTimeoutMs = COMMAND_TIMEOUT_MS, keepAliveMs = KEEP_ALIVE_MS, clients, db } = options
  checkPlace(options)
  if (url !== undefined && parseRedisUrl(url).tls === true && tls === false)
    refuse('`url` is rediss:, and `tls` is false: give one of them.')
  if (host !== undefined && !isHost(host)) refuse('`host` must be a name or an IP address, without port, brackets or scheme.')
  if (port !== undefined && !isPort(port)) refuse('`port` must be a number from 1 to 65535.')
  if (path !== undefined && !isSocketPath(path)) refuse(`\`path\` must be absolute and at most ${MAX_SOCKET_PATH_BYTES} bytes.`)
  if (db !== undefined && !isDatabase(db)) refuse('`db` must be a whole number of at least 0.')
  if (options.cluster !== undefined && db !== undefined && db !== 0) refuse('A Cluster has no `db` but 0.')
  checkAddresses('sentinels', options.sentinels)
  checkAddresses('cluster', options.cluster)
  if ((options.sentinels === undefined) !== (options.name === undefined)) refuse('`sentinels` and `name` go together.')
  if (options.name === '') refuse('`name` must not be empty.')
  if (clients !== undefined && clients.pub === clients.sub)
    refuse('`pub` and `sub` must be two clients: one that subscribes can do nothing else.')
  if (prefix !== undefined && !isKey(prefix)) refuse('`prefix` must be a name as keys are.')
  if (!(commandTimeoutMs > 0 && commandTimeoutMs < 2 ** 31)) refuse('`commandTimeoutMs` must be a positive number of milliseconds.')
  if (!(keepAliveMs > 0 && keepAliveMs < 2 ** 31)) refuse('`keepAliveMs` must be a positive number of milliseconds.')
}

/** There is one place, and nothing is said of it twice or in vain. */
function checkPlace(options: RedisConnectionOptions): void {
  const given = (names: readonly (keyof RedisConnectionOptions)[]): boolean => names.some((name) => options[name] !== undefined)
  const address = given(['host', 'port'])
  const places = [address, given(['url']), given(['path']), given(['sentinels']), given(['cluster']), given(['clients'])]
  if (places.filter(Boolean).length > 1) refuse('Give one of `url`, `host` and `port`, `path`, `sentinels`, `cluster` and `clients`.')
  if (given(['url']) && given(['username', 'password', 'db'])) refuse('`username`, `password` and `db` stand in the `url`.')
  if (given(['clients']) && given(['username', 'password', 'db', 'tls'])) refuse('`clients` have their own settings.')
  if (!given(['sentinels']) && given(['sentinelUsername', 'sentinelPassword', 'sentinelTls']))
    refuse('`sentinelUsername`, `sentinelPassword` and `sentinelTls` go with `sentinels`.')
}

function checkAddresses(option: string, addresses: unknown): void {
  if (addresses === undefined) return
  if (Array.isArray(addresses) && addresses.length > 0 && addresses.every(isAddress)) return
  refuse(`\`${option}\` must be a list of at least one { host, port }: a host without scheme, and a port that is a number.`)
}

function refuse(message: string): never {
  throw new RealtimeError('INVALID_OPTIONS', { message })
}
