import { Redis } from 'ioredis'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import type { RedisConnectionOptions } from './options.ts'
import { parseRedisUrl } from './parse-redis-url.ts'
import type { RedisAddress } from './redis-address.ts'
import { CONNECT_TIMEOUT_MS, checkClient, redisOptions, retryDelayMs } from './redis-options.ts'

/** The two clients of one instance, of one server. */
export interface IoredisClients {
  pub: Redis
  sub: Redis
  /** Whether they were created here and must be closed here. */
  owned: boolean
}

/**
 * The two clients that the options describe, connecting. Throws `INVALID_OPTIONS` for clients that would send commands late or
 * twice.
 */
export function connectClients(options: RedisConnectionOptions, name: string): IoredisClients {
  const { clients } = options
  if (clients !== undefined) {
    checkClient(clients.pub, 'pub')
    checkClient(clients.sub, 'sub')
    return { ...clients, owned: false }
  }
  const place = withoutUrl(options)
  // Never the URL itself: ioredis would use its parameters as settings.
  const connect = (role: 'pub' | 'sub'): Redis => new Redis({ ...settingsOf(place), ...placeOf(place), connectionName: `${name}:${role}` })
  return { pub: connect('pub'), sub: connect('sub'), owned: true }
}

/** A client of one Cluster node. It does not connect by itself. */
export const nodeClient = (options: RedisConnectionOptions, { host, port }: RedisAddress, connectionName: string): Redis =>
  new Redis({ ...settingsOf(options), host, port, connectionName, lazyConnect: true })

/** The same server by `host` and `port`, or `path`. TLS options are given beside a `rediss:` URL. */
function withoutUrl({ url, ...options }: RedisConnectionOptions): RedisConnectionOptions {
  if (url === undefined) return options
  const { tls, ...place } = parseRedisUrl(url)
  return { ...options, ...place, ...(tls === undefined ? {} : { tls: options.tls ?? tls }) }
}

function placeOf({ host, port, path, sentinels, name, ...options }: RedisConnectionOptions) {
  if (sentinels === undefined || name === undefined)
    return {
      ...(host === undefined ? {} : { host }),
      ...(port === undefined ? {} : { port }),
      ...(path === undefined ? {} : { path }),
    }
  const { sentinelUsername, sentinelPassword, sentinelTls, tls } = options
  const tlsOptions = tlsOf(sentinelTls)
  return {
    sentinels: [...sentinels],
    name,
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(tlsOptions === undefined ? {} : { sentinelTLS: tlsOptions }),
    enableTLSForSentinelMode: tlsOf(tls) !== undefined,
    // A hanging Sentinel must not delay the query of the others.
    sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
    sentinelRetryStrategy: retryDelayMs,
  }
}

function settingsOf({ username, password, db, tls, ...options }: RedisConnectionOptions) {
  const tlsOptions = tlsOf(tls)
  return {
    ...redisOptions({ commandTimeoutMs: options.commandTimeoutMs }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(db === undefined ? {} : { db }),
    ...(tlsOptions === undefined ? {} : { tls: tlsOptions }),
  }
}

const tlsOf = (tls: boolean | TlsOptions | undefined): TlsOptions | undefined => (tls === true ? {} : tls === false ? undefined : tls)
