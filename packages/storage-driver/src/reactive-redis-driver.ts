import type { RedisLink } from '@tutti/pubsub/redis'
import { createRedisStore } from './redis/redis-store.ts'
import { storeSettings, type StoreOptions } from './store-options.ts'
import { unstorageDriver, type ReactiveDriver } from './unstorage-driver.ts'

/** Options of `reactiveRedisDriver`. */
export interface ReactiveRedisDriverOptions extends StoreOptions {
  /** The application's `RealtimePubSub`: commands and changes go over its two connections (N1). It stays the caller's to dispose. */
  pubsub: { readonly instanceId: string; readonly link: RedisLink }
  /** What stands before every key, `<base>:<key>`; never empty; one `{hash tag}` allowed; default `tutti`. */
  base?: string | undefined
}

/**
 * An unstorage driver and `StateStore` on Redis: every write is one atomic script that checks, applies, versions,
 * remembers and announces it (S5), on every instance that shares the Redis. Throws `INVALID_OPTIONS`.
 */
export const reactiveRedisDriver = ({ pubsub, base, ...options }: ReactiveRedisDriverOptions): ReactiveDriver =>
  unstorageDriver(
    'tutti-redis',
    createRedisStore({ link: pubsub.link, instanceId: pubsub.instanceId, base, settings: storeSettings(options) }),
  )
