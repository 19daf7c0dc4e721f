import { RealtimeError, isKey } from '@tutti/protocol'
import { text, wholeNumber, type OptionRow, type OptionRows, type Settings } from '@tutti/protocol/internal'
import type { Redis } from 'ioredis'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { KEEP_ALIVE_MS } from './keep-alive.ts'
import { parseRedisUrl } from './parse-redis-url.ts'
import { MAX_SOCKET_PATH_BYTES, isAddress, isHost, isPort, isSocketPath, type RedisAddress } from './redis-address.ts'
import { COMMAND_TIMEOUT_MS } from './redis-options.ts'

/**
 * The Redis server: one server by `url`, `host` and `port`, or `path`; the master that `sentinels` report; a Cluster; or
 * two clients of the caller. `username`, `password`, `db` and `tls` apply to the servers themselves, however they are found.
 */
export interface RedisConnectionOptions {
  /**
   * `redis://user:password@host:port/db`, `rediss:` for TLS, or `unix://user:password@/path?db=N`; names and passwords
   * percent-encoded. It has no other parameters. Instead of `host`, `port`, `path`, `username`, `password` and `db`. Unset by default.
   */
  url?: string | undefined
  /**
   * A name or an IP address.
   *
   * @default 'localhost'
   */
  host?: string | undefined
  /**
   * The TCP port.
   *
   * @default 6379
   */
  port?: number | undefined
  /** A Unix socket, e.g. `/run/redis/redis.sock`. Instead of `host` and `port`. Unset by default. */
  path?: string | undefined
  /** The user of an ACL. Without it, Redis uses its user `default`. */
  username?: string | undefined
  /** The password. Without it, the connections do not authenticate. */
  password?: string | undefined
  /**
   * Number of the database. Redis channels are shared by all of them; a Cluster has only 0.
   *
   * @default 0
   */
  db?: number | undefined
  /** `true`, or options of Node's `tls.connect`. Without it, TLS is used only with a `rediss:` URL. */
  tls?: boolean | TlsOptions | undefined
  /** Sentinels, at least one; the Sentinels that these know are queried too. With `name`, instead of `host` and `port`. Unset by default. */
  sentinels?: readonly RedisAddress[] | undefined
  /** The master's name in Sentinel. Required with `sentinels`; unset by default. */
  name?: string | undefined
  /** The user of the Sentinels' ACL. Without it, they use their user `default`. */
  sentinelUsername?: string | undefined
  /** The password of the Sentinels. Without it, the connections to them do not authenticate. */
  sentinelPassword?: string | undefined
  /** TLS to the Sentinels: `true`, or options of `tls.connect`. Without it, the connections to them are not encrypted. */
  sentinelTls?: boolean | TlsOptions | undefined
  /** Nodes of a Cluster, at least one; the others are discovered. Instead of `host` and `port`. Unset by default. */
  cluster?: readonly RedisAddress[] | undefined
  /**
   * Two connected or connecting clients of one server, `sub` only for subscriptions. The caller closes them. Instead of all
   * options above. Unset by default.
   */
  clients?: { pub: Redis; sub: Redis } | undefined
  /**
   * Separates applications on one Redis; begins every Redis channel.
   *
   * @default 'tutti'
   */
  prefix?: string | undefined
  /**
   * Time after which a command without a reply fails and the connection is replaced, milliseconds.
   *
   * @default 5_000
   */
  commandTimeoutMs?: number | undefined
  /**
   * A connection that sent nothing for this time sends a PING, milliseconds, so that no proxy closes it as idle. Shorter if
   * Redis reports that it closes idle connections itself.
   *
   * @default 10_000
   */
  keepAliveMs?: number | undefined
}

const tls: OptionRow<undefined> = [
  'true, false or options of `tls.connect`',
  (value) => typeof value === 'boolean' || isObject(value),
  undefined,
]
const addresses: OptionRow<undefined> = [
  'a list of at least one { host, port }: a host without scheme, and a port that is a number',
  (value) => Array.isArray(value) && value.length > 0 && value.every(isAddress),
  undefined,
]

/** The accepted values of each option. */
export const CONNECTION_OPTIONS = {
  url: text(undefined),
  host: ['a name or an IP address, without port, brackets or scheme', isHost, undefined],
  port: ['a number from 1 to 65535', isPort, undefined],
  path: [`absolute and at most ${MAX_SOCKET_PATH_BYTES} bytes`, isSocketPath, undefined],
  username: text(undefined),
  password: text(undefined),
  db: wholeNumber(0, undefined),
  tls,
  sentinels: addresses,
  name: ['text that is not empty', (value) => typeof value === 'string' && value !== '', undefined],
  sentinelUsername: text(undefined),
  sentinelPassword: text(undefined),
  sentinelTls: tls,
  cluster: addresses,
  clients: ['{ pub, sub }, two clients of ioredis', (value) => isObject(value) && 'pub' in value && 'sub' in value, undefined],
  prefix: ['a name like a key, such as tutti or app:one', isKey, 'tutti'],
  commandTimeoutMs: wholeNumber(1, COMMAND_TIMEOUT_MS),
  keepAliveMs: wholeNumber(1, KEEP_ALIVE_MS),
} satisfies OptionRows<RedisConnectionOptions>

/** Validated options with their defaults. */
export type ConnectionSettings = Settings<RedisConnectionOptions, typeof CONNECTION_OPTIONS>

/** Throws `INVALID_OPTIONS` for options that contradict each other or cannot work. */
export function checkConnectionOptions(options: ConnectionSettings): void {
  const { url, tls: isTls, clients, db, cluster, sentinels, name } = options
  checkPlace(options)
  if (url !== undefined && parseRedisUrl(url).tls === true && isTls === false)
    refuse('`url` begins with rediss: and `tls` is false. Set only one of them.')
  if (cluster !== undefined && db !== undefined && db !== 0) refuse('Invalid `db`: a Cluster has only database 0.')
  if ((sentinels === undefined) !== (name === undefined)) refuse('`sentinels` and `name` must be set together.')
  if (clients !== undefined && clients.pub === clients.sub)
    refuse('`clients.pub` and `clients.sub` must be two clients: a subscribed one accepts no other commands.')
}

/** Exactly one server is named, and no option is redundant or ignored. */
function checkPlace(options: ConnectionSettings): void {
  const given = (names: readonly (keyof RedisConnectionOptions)[]): boolean => names.some((name) => options[name] !== undefined)
  const address = given(['host', 'port'])
  const places = [address, given(['url']), given(['path']), given(['sentinels']), given(['cluster']), given(['clients'])]
  if (places.filter(Boolean).length > 1) refuse('Set only one of `url`, `host` and `port`, `path`, `sentinels`, `cluster` and `clients`.')
  if (given(['url']) && given(['username', 'password', 'db'])) refuse('`username`, `password` and `db` must be part of the `url`.')
  if (given(['clients']) && given(['username', 'password', 'db', 'tls']))
    refuse('`username`, `password`, `db` and `tls` have no effect on `clients`. Set them on each client.')
  if (!given(['sentinels']) && given(['sentinelUsername', 'sentinelPassword', 'sentinelTls']))
    refuse('`sentinelUsername`, `sentinelPassword` and `sentinelTls` require `sentinels`.')
}

function refuse(message: string): never {
  throw new RealtimeError('INVALID_OPTIONS', { message })
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)
