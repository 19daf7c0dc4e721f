import { RealtimeError, type JsonObject } from '@tutti/protocol'
import { isJsonObject } from '@tutti/protocol/internal'
import type { RealtimePubSubOptions } from '@tutti/pubsub'

/** The options of `RealtimePubSub` that are JSON. */
export type RedisConfig = Omit<RealtimePubSubOptions, 'clients' | 'onError'>

/** `runtimeConfig.tutti`, in which the options of the server are not grouped. */
export interface RealtimeConfig {
  /** `NUXT_TUTTI_REDIS_URL`; empty where it is not set. */
  redisUrl: string
  /** Empty where there is none. */
  redis: RedisConfig
  /** Empty: the state is in memory. */
  dataDir: string
  /** Options of the server. */
  options: object
}

/** The realtime server's part of the runtime config; undefined where pages use a realtime server in another process. */
export function parseConfig(ofApplication: unknown): RealtimeConfig | undefined {
  const { tutti, public: ofPages } = objectOf(ofApplication)
  if (objectOf(objectOf(ofPages)['tutti'])['url']) return undefined
  const { redisUrl = '', redis = {}, dataDir = '', ...options } = objectOf(tutti)
  // Nuxt reads numbers and JSON from variables of the environment.
  if (typeof redisUrl !== 'string') throw invalid('NUXT_TUTTI_REDIS_URL must be a URL, such as redis://127.0.0.1:6379.')
  if (typeof dataDir !== 'string') throw invalid('NUXT_TUTTI_DATA_DIR must be the path of a folder.')
  if (!isJsonObject(redis)) throw invalid('`tutti.redis` must be an object, such as { url }.')
  return { redisUrl, redis, dataDir, options }
}

const objectOf = (value: unknown): JsonObject => (isJsonObject(value) ? value : {})

const invalid = (message: string): RealtimeError => new RealtimeError('INVALID_OPTIONS', { message })

/** What names a Redis server, and what is known of it alone. */
const ADDRESS = ['url', 'host', 'port', 'path', 'username', 'password', 'db', 'tls', 'sentinels', 'name', 'cluster'] as const
const OF_SENTINELS = ['sentinelUsername', 'sentinelPassword', 'sentinelTls'] as const

/**
 * The options of `RealtimePubSub`; undefined without Redis. A URL of the environment replaces the configured address as a whole: a
 * password or certificate of the configured server must not be used with another.
 */
export function redisOptionsOf({ redisUrl, redis }: Pick<RealtimeConfig, 'redisUrl' | 'redis'>): RedisConfig | undefined {
  const configured = Object.fromEntries(Object.entries(redis).filter(([, value]) => value !== undefined && value !== ''))
  if (redisUrl === '') return Object.keys(configured).length > 0 ? configured : undefined
  for (const name of [...ADDRESS, ...OF_SENTINELS]) delete configured[name]
  return { ...configured, url: redisUrl }
}

/**
 * Whether the application has Redis, by its config and by the environment in which it is built or started. Throws `INVALID_OPTIONS`
 * for a config with which it could not start.
 */
export function hasRedis(config: object, { NUXT_TUTTI_REDIS_URL }: NodeJS.ProcessEnv = process.env): boolean {
  const parsed = parseConfig({ tutti: { ...config, ...(NUXT_TUTTI_REDIS_URL && { redisUrl: NUXT_TUTTI_REDIS_URL }) } })
  return parsed !== undefined && redisOptionsOf(parsed) !== undefined
}
