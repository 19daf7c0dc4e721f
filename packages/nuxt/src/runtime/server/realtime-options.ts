import { mkdirSync } from 'node:fs'
import { RealtimeError, type RealtimeSchema } from '@tutti/protocol'
import { RealtimePubSub } from '@tutti/pubsub'
import type { AttachRealtimeOptions } from '@tutti/server/nitro2'
import { reactiveDriver, reactiveRedisDriver, type ReactiveDriver } from '@tutti/storage-driver'
import { consola } from 'consola'
import memoryDriver from 'unstorage/drivers/memory'
import type { RealtimeDefinition } from './define-realtime'
import { flatFilesDriver } from './flat-files-driver'
import { redisOptionsOf, type RealtimeConfig, type RedisConfig } from './realtime-config'

/** What an application defines. */
export interface RealtimeSources {
  readonly config: RealtimeConfig
  /** `server/realtime.ts`. */
  readonly definition: RealtimeDefinition
  /** `shared/realtime.ts`. */
  readonly schema: RealtimeSchema | undefined
  /** In dev the module has already logged that there is one instance. */
  readonly isDev: boolean
}

/** Options of `attachRealtime` whose store is also the storage mount `tutti`. */
export interface RealtimeServerOptions extends AttachRealtimeOptions {
  state: ReactiveDriver
}

/** The options of an application's realtime server, with its store. Throws `INVALID_OPTIONS`. */
export function realtimeOptions({ config, definition, schema, isDev }: RealtimeSources): RealtimeServerOptions {
  const { redisUrl, redis, dataDir, options } = config
  const redisOptions = redisOptionsOf({ redisUrl, redis })
  const onWarning = (message: string): void => (isDev ? undefined : consola.withTag('tutti').warn(message))
  const common = { ...options, onWarning, schema, ...definition }
  if (redisOptions === undefined) return { ...common, state: localStore(dataDir) }
  const pubsub = createPubSub(redisOptions, redisUrl)
  return { ...common, pubsub, state: reactiveRedisDriver({ pubsub }) }
}

function createPubSub(options: RedisConfig, redisUrl: string): RealtimePubSub {
  try {
    return new RealtimePubSub(options)
  } catch (cause) {
    if (redisUrl === '' || !(cause instanceof RealtimeError)) throw cause
    throw new RealtimeError(cause.code, { message: `NUXT_TUTTI_REDIS_URL: ${cause.message}`, cause })
  }
}

function localStore(dataDir: string): ReactiveDriver {
  if (dataDir === '') return reactiveDriver(memoryDriver())
  mkdirSync(dataDir, { recursive: true })
  return reactiveDriver(flatFilesDriver(dataDir))
}
