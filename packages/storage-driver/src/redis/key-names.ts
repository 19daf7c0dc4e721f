import { RealtimeError, isKey, parseKey } from '@tutti/protocol'
import type { RedisLink } from '@tutti/pubsub/redis'
import type { MutationAuthor } from '../contract.ts'

/** Where the things of one store stand in Redis. */
export interface KeyNames {
  /** The index of all keys that have a value. */
  readonly index: string
  /** The Redis channel of its changes, below the application's prefix. */
  readonly channel: string
  value(key: string): string
  state(key: string): string
  meta(key: string): string
  memory(key: string, author: MutationAuthor): string
  /** The key whose value stands under a Redis key that `pattern` matches, if one does. */
  keyOf(redisKey: string): string | undefined
  /** Matches every Redis key below the base, with the glob characters of the base escaped. */
  readonly pattern: string
}

const DEFAULT_BASE = 'tutti'

/**
 * The names below a base (default `tutti`); throws `INVALID_OPTIONS` for an empty base or one that is no key. A base may
 * have one hash tag, `{app}`. Everything internal has a `$`, which no key can have (X3).
 */
export function keyNames(link: RedisLink, base = DEFAULT_BASE): KeyNames {
  if (!isKey(base.replace(/\{([^{}]+)\}/, '$1'))) {
    throw new RealtimeError('INVALID_OPTIONS', {
      message: 'base must follow the grammar of keys, with one {hash tag} at most, and not be empty.',
    })
  }
  const start = `${base}:`
  return {
    index: `${base}$index`,
    // Each base has a channel of its own, for the messages name keys without it.
    channel: base === DEFAULT_BASE ? 'watch' : `watch:${base}`,
    value: (key) => `${start}${parseKey(key)}`,
    state: (key) => link.companionKey(base, key, ''),
    meta: (key) => link.companionKey(base, parseKey(key), 'meta'),
    memory: (key, { user, clientId }) => link.companionKey(base, key, `m:${encodeURIComponent(user)}:${encodeURIComponent(clientId)}`),
    keyOf: (redisKey) => {
      const key = redisKey.slice(start.length)
      return isKey(key) ? key : undefined
    },
    pattern: `${start.replace(/[*?[\]\\]/g, '\\$&')}*`,
  }
}
