import type { RedisConfig } from './runtime/server/realtime-config.ts'
import type { RealtimeDefinition } from './runtime/server/define-realtime.ts'

/** Options of the server that are functions or objects: they are set in `server/realtime.ts`. */
type InDefinition = 'authenticate' | 'authorize' | 'schema' | 'features' | 'coordination' | 'socketIo' | 'onError' | 'onAudit' | 'onWarning'

/** The key `tutti` in `nuxt.config.ts`: all options that are JSON. */
export interface ModuleOptions extends Omit<RealtimeDefinition, InDefinition> {
  /**
   * Where Redis is: options of `RealtimePubSub`, such as `{ url }`, `{ host, port }`, `{ sentinels, name }` or `{ cluster }`.
   * At run time `NUXT_TUTTI_REDIS_URL` replaces all of it. Without it, the application is a single instance.
   */
  redis?: RedisConfig | undefined
  /**
   * The folder of the state if there is no Redis. An empty string keeps the state in memory. At run time `NUXT_TUTTI_DATA_DIR`
   * replaces it.
   *
   * @default '.data/tutti' in dev, otherwise an empty string
   */
  dataDir?: string | undefined
  /**
   * The origin of a realtime server in a process of its own, such as `https://realtime.example`. The application then has no
   * realtime server. At run time `NUXT_PUBLIC_TUTTI_URL` replaces it. Without it, the application has its own.
   */
  url?: string | undefined
}
