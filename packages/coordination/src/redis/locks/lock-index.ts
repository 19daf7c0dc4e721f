import type { RedisLink } from '@tutti/pubsub/redis'
import type { RedisLayout } from '../redis-layout.ts'
import { textsOf } from '../script-reply.ts'

const CLAIM = `
-- KEYS 1 index  2 claims  ARGV 1 key  2 until, in ms
local last = redis.call('HGET', KEYS[2], ARGV[1])
local mark = last and math.max(last + 1, ARGV[2]) or ARGV[2]
redis.call('HSET', KEYS[2], ARGV[1], string.format('%.0f', mark))
redis.call('ZADD', KEYS[1], 0, ARGV[1])
`

const FORGET = `
-- KEYS 1 index  2 claims  ARGV 1 key  2 its claim as it was seen, or ''
if (redis.call('HGET', KEYS[2], ARGV[1]) or '') ~= ARGV[2] then return end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[1], ARGV[1])
`

const FORGET_FREE = `
-- KEYS 1 index  2 lock  ARGV 1 key
if string.match(redis.call('GET', KEYS[2]) or '1 d', '^%d+ d') then redis.call('ZREM', KEYS[1], ARGV[1]) end
`

/** Clock difference between the nodes of a Cluster at most, milliseconds. */
const CLOCKS_MS = 10_000

/** The names of all locks. It may contain too many, and never too few. */
export interface LockIndex {
  /** Before a grant under a lease with this expiry. Does nothing where the scripts of locks maintain the index. */
  claim(key: string, expiry: number): Promise<void>
  list(prefix: string): Promise<readonly string[]>
  /** Names for which a listing found no lock. `isFree` reads again. */
  forget(keys: readonly string[], isFree: (key: string) => Promise<boolean>): Promise<void>
}

/**
 * Makes the index. On a Cluster it is on another node than the locks: a name is added before its lock, and removed if a listing
 * finds none and no grant can be in flight, as for the names of entries.
 */
export function createLockIndex(link: RedisLink, { lock, lockIndex, lockClaims, hasRemoteLocks }: RedisLayout): LockIndex {
  const claim = hasRemoteLocks ? link.script(CLAIM) : undefined
  const forget = link.script(hasRemoteLocks ? FORGET : FORGET_FREE)
  const forgetOne = async (key: string, isFree: (key: string) => Promise<boolean>): Promise<void> => {
    // A lock whose record has expired. A grant adds the name in its own script.
    if (claim === undefined) return void (await forget.run([lockIndex, lock(key)[0]], [key]))
    const mark = await link.command('HGET', lockClaims, key)
    if (mark !== null && Number(mark) + CLOCKS_MS > link.now()) return
    if (await isFree(key)) await forget.run([lockIndex, lockClaims], [key, mark === null ? '' : String(mark)])
  }
  return {
    claim: async (key, expiry) => void (await claim?.run([lockIndex, lockClaims], [key, Math.ceil(expiry)])),
    list: async (prefix) => textsOf(await link.command('ZRANGEBYLEX', lockIndex, `[${prefix}`, `(${prefix.slice(0, -1)};`)),
    forget: async (keys, isFree) => void (await Promise.all(keys.map((key) => forgetOne(key, isFree)))),
  }
}
