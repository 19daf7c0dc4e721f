import { RealtimeError, isKey } from '@tutti/protocol'
import { Redis } from 'ioredis'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { COMMAND_TIMEOUT_MS, checkClient, redisOptions } from './redis-options.ts'

/** Where Redis is: an address, or two clients of the caller's, made with `redisOptions()`, which stay the caller's to close (N8). */
export interface RedisConnectionOptions {
  /** `redis://user:password@host:port/db`, or `rediss:` for TLS. Instead of `host`, `port`, `username`, `password` and `db`. */
  url?: string
  /** Default: localhost. */
  host?: string
  /** Default: 6379. */
  port?: number
  username?: string
  password?: string
  /** Number of the database. Default: 0. Redis channels are shared by all of them. */
  db?: number
  /** `true`, or options of Node's `tls.connect`. */
  tls?: boolean | TlsOptions
  /** Two connected or connecting clients, `sub` for subscriptions alone. Instead of an address. */
  clients?: { pub: Redis; sub: Redis }
  /** Separates applications on one Redis; stands before every Redis channel. Default: `tutti`. */
  prefix?: string
  /** When an unanswered command gives up and the connection is made anew, milliseconds. Default: 5,000. */
  commandTimeoutMs?: number
}

/** The two clients of one instance. */
export interface RedisClients {
  pub: Redis
  sub: Redis
  /** Whether they were made here, and are to be closed here. */
  owned: boolean
}

/** The two clients that the options ask for, connecting. Throws `INVALID_OPTIONS`. */
export function connectClients(options: RedisConnectionOptions, name: string): RedisClients {
  checkOptions(options)
  const { clients, url } = options
  if (clients !== undefined) {
    checkClient(clients.pub, 'pub')
    checkClient(clients.sub, 'sub')
    return { ...clients, owned: false }
  }
  const connect = (role: 'pub' | 'sub'): Redis => {
    const settings = { ...addressOf(options), ...redisOptions(options), connectionName: `${name}:${role}` }
    return url === undefined ? new Redis(settings) : new Redis(url, settings)
  }
  return { pub: connect('pub'), sub: connect('sub'), owned: true }
}

function addressOf({ host, port, username, password, db, tls }: RedisConnectionOptions) {
  const tlsOptions = tls === true ? {} : tls
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(db === undefined ? {} : { db }),
    ...(tlsOptions === undefined || tlsOptions === false ? {} : { tls: tlsOptions }),
  }
}

function checkOptions({ url, clients, prefix, commandTimeoutMs = COMMAND_TIMEOUT_MS, ...address }: RedisConnectionOptions): void {
  const parts = [address.host, address.port, address.username, address.password, address.db].filter((part) => part !== undefined)
  if (url !== undefined && parts.length > 0) refuse('Give either `url` or `host`, `port`, `username`, `password` and `db`.')
  if (url !== undefined && !isRedisUrl(url)) refuse('`url` must be redis://… or rediss://….')
  if (clients !== undefined && (url !== undefined || parts.length > 0 || address.tls !== undefined))
    refuse('Give either `clients` or an address.')
  if (clients !== undefined && clients.pub === clients.sub)
    refuse('`pub` and `sub` must be two clients: one that subscribes can do nothing else.')
  if (prefix !== undefined && !isKey(prefix)) refuse('`prefix` must be a name as keys are.')
  if (!(commandTimeoutMs > 0 && commandTimeoutMs < 2 ** 31)) refuse('`commandTimeoutMs` must be a positive number of milliseconds.')
  if (address.port !== undefined && !(Number.isInteger(address.port) && address.port > 0 && address.port < 65_536))
    refuse('`port` must be 1 to 65535.')
}

const isRedisUrl = (url: string): boolean => /^rediss?:\/\//.test(url) && URL.canParse(url)

function refuse(message: string): never {
  throw new RealtimeError('INVALID_OPTIONS', { message })
}
