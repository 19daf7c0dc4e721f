import { parseOptions, required, safeErrorListener, text, type OptionRows } from '@tutti/protocol/internal'
import type { RedisLink } from '@tutti/pubsub/redis'
import { createRedisStore } from './redis/redis-store.ts'
import { STORE_OPTIONS, type StoreOptions } from './store-options.ts'
import { unstorageDriver, type ReactiveDriver } from './unstorage-driver.ts'

/** Options of `reactiveRedisDriver`. */
export interface ReactiveRedisDriverOptions extends StoreOptions {
  /** The application's `RealtimePubSub`: commands and changes use its two connections. The caller disposes of it. */
  pubsub: { readonly instanceId: string; readonly link: RedisLink }
  /**
   * Begins every Redis key, `<base>:<key>`; never empty; one `{hash tag}` is allowed.
   *
   * @default 'tutti'
   */
  base?: string | undefined
}

const hasLink = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'link' in value && typeof value.link === 'object' && 'instanceId' in value

const OPTIONS = {
  ...STORE_OPTIONS,
  pubsub: required(['a RealtimePubSub', hasLink, undefined]),
  base: text(undefined), // `keyNames` validates the base.
} satisfies OptionRows<ReactiveRedisDriverOptions>

/**
 * An unstorage driver and `StateStore` on Redis: every write is one atomic script that checks, applies, versions,
 * remembers and announces it, on every instance that shares the Redis.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 *
 * @example
 * attachRealtime(httpServer, { state: reactiveRedisDriver({ pubsub }), pubsub })
 */
export function reactiveRedisDriver(options: ReactiveRedisDriverOptions): ReactiveDriver {
  const { pubsub, base, ...settings } = parseOptions('reactiveRedisDriver', OPTIONS, options)
  const { link, instanceId } = pubsub
  const onError = safeErrorListener(settings.onError)
  return unstorageDriver('tutti-redis', createRedisStore({ link, instanceId, base, settings: { ...settings, onError } }))
}
