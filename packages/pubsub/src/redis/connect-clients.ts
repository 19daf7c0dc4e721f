import { Redis } from 'ioredis'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import type { RedisAddress, RedisConnectionOptions } from './connection-options.ts'
import { CONNECT_TIMEOUT_MS, checkClient, redisOptions, retryDelayMs } from './redis-options.ts'

/** The two clients of one instance, on one server. */
export interface RedisClients {
  pub: Redis
  sub: Redis
  /** Whether they were made here, and are to be closed here. */
  owned: boolean
}

/** The two clients that the options ask for, connecting. Throws `INVALID_OPTIONS` for clients that would send late or twice. */
export function connectClients(options: RedisConnectionOptions, name: string): RedisClients {
  const { clients, url } = options
  if (clients !== undefined) {
    checkClient(clients.pub, 'pub')
    checkClient(clients.sub, 'sub')
    return { ...clients, owned: false }
  }
  const connect = (role: 'pub' | 'sub'): Redis => {
    const settings = { ...settingsOf(options), ...placeOf(options), connectionName: `${name}:${role}` }
    return url === undefined ? new Redis(settings) : new Redis(url, settings)
  }
  return { pub: connect('pub'), sub: connect('sub'), owned: true }
}

/** A client of one node of a Cluster. It connects when told to. */
export const nodeClient = (options: RedisConnectionOptions, { host, port }: RedisAddress, connectionName: string): Redis =>
  new Redis({ ...settingsOf(options), host, port, connectionName, lazyConnect: true })

function placeOf({ host, port, sentinels, name, ...options }: RedisConnectionOptions) {
  if (sentinels === undefined || name === undefined)
    return { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) }
  const { sentinelUsername, sentinelPassword, sentinelTls, tls } = options
  const tlsOptions = tlsOf(sentinelTls)
  return {
    sentinels: [...sentinels],
    name,
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(tlsOptions === undefined ? {} : { sentinelTLS: tlsOptions }),
    enableTLSForSentinelMode: tlsOf(tls) !== undefined,
    // A Sentinel that hangs must not keep the others from being asked.
    sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
    sentinelRetryStrategy: retryDelayMs,
  }
}

function settingsOf({ username, password, db, tls, ...options }: RedisConnectionOptions) {
  const tlsOptions = tlsOf(tls)
  return {
    ...redisOptions(options),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(db === undefined ? {} : { db }),
    ...(tlsOptions === undefined ? {} : { tls: tlsOptions }),
  }
}

const tlsOf = (tls: boolean | TlsOptions | undefined): TlsOptions | undefined => (tls === true ? {} : tls === false ? undefined : tls)
