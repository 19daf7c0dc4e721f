import { RealtimeError, isKey } from '@tutti/protocol'
import type { RedisLink } from '@tutti/pubsub/redis'
import type { MutationAuthor } from '../contract.ts'

/** The Redis keys and the channel of one store. Keys must be parsed before. */
export interface KeyNames {
  /** The index of all keys that have a value. */
  readonly index: string
  /** The Redis channel of its changes, below the application's prefix. */
  readonly channel: string
  /** The text before the key in the Redis key of each value. */
  readonly valuePrefix: string
  value(key: string): string
  state(key: string): string
  meta(key: string): string
  memory(key: string, author: MutationAuthor): string
  /** The key of the value stored under a Redis key that matches `pattern`, if any. */
  keyOf(redisKey: string): string | undefined
  /** Matches every Redis key below the base, with the glob characters of the base escaped. */
  readonly pattern: string
}

const DEFAULT_BASE = 'tutti'

/**
 * The names below a base (default `tutti`); throws `INVALID_OPTIONS` for an empty or invalid base. A base may contain one hash
 * tag, `{app}`. Every internal name contains a `$`, which no key can contain (X3).
 */
export function keyNames(link: RedisLink, base = DEFAULT_BASE): KeyNames {
  if (!isKey(base.replace(/\{([^{}]+)\}/, '$1'))) {
    throw new RealtimeError('INVALID_OPTIONS', {
      message: 'Invalid `base`: it must be a valid key with at most one {hash tag}.',
    })
  }
  const valuePrefix = `${base}:`
  // A companion key consists of the key between two texts that depend only on the base. No key contains a $.
  const [before = '', after = ''] = link.companionKey(base, '$', '').split('$', 2)
  const companion = (key: string, name: string): string => `${before}${key}${after}$${name}`
  return {
    index: `${base}$index`,
    // Each base has its own channel, because messages contain keys without the base.
    channel: base === DEFAULT_BASE ? 'watch' : `watch:${base}`,
    valuePrefix,
    value: (key) => valuePrefix + key,
    state: (key) => companion(key, ''),
    meta: (key) => companion(key, 'meta'),
    memory: (key, { user, clientId }) => companion(key, `m:${encodeURIComponent(user)}:${encodeURIComponent(clientId)}`),
    keyOf: (redisKey) => {
      const key = redisKey.slice(valuePrefix.length)
      return isKey(key) ? key : undefined
    },
    pattern: `${valuePrefix.replace(/[*?[\]\\]/g, '\\$&')}*`,
  }
}
