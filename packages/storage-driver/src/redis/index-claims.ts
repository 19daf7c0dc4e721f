import { RealtimeError, type Entry } from '@tutti/protocol'
import { isAbsent } from '@tutti/protocol/internal'
import type { RedisLink } from '@tutti/pubsub/redis'
import type { KeyNames } from './key-names.ts'
import { textOf } from './reply.ts'

// Maximum clock difference between the nodes of a Cluster.
const CLOCKS_MS = 10_000

const CLAIM = `
-- KEYS 1 index  2 claims  ARGV 1 key  2 until, in ms
local last = redis.call('HGET', KEYS[2], ARGV[1])
local mark = last and math.max(last + 1, ARGV[2]) or ARGV[2]
redis.call('HSET', KEYS[2], ARGV[1], string.format('%.0f', mark))
redis.call('ZADD', KEYS[1], 0, ARGV[1])
`

const RELEASE = `
-- KEYS 1 index  2 claims  ARGV 1 key  2 its claim as it was seen, or ''
if (redis.call('HGET', KEYS[2], ARGV[1]) or '') ~= ARGV[2] then return end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[1], ARGV[1])
`

/** Adds names to the index and removes them. */
export interface IndexClaims {
  /** Whether the index and the entries are on different nodes, so that the scripts cannot update the index. */
  readonly isRemote: boolean
  /** Adds the name of an entry to the index before it is created by a write with this deadline. */
  claim(key: string, deadline: number): Promise<void>
  /** Removes a name for which a listing found no entry. */
  forget(key: string, read: () => Promise<Entry>): Promise<void>
}

/**
 * On one server the scripts update the index themselves. On a Cluster it is on one node and the entries on all, and no script
 * can use both. So a name is added before its entry is created, which at worst results in too many names (S17), and is removed
 * if a listing finds no entry. A removal must not overlap with a writer that has just added the name again and not written yet:
 * a claim contains the time until which such a write is possible, because its deadline is checked where it is executed (F2).
 */
export function createIndexClaims(link: RedisLink, names: KeyNames): IndexClaims {
  const isRemote = link.isCluster && !names.index.includes('{')
  if (!isRemote) return { isRemote, claim: async () => {}, forget: async () => {} }

  const claims = `{${names.index}}$claims`
  const [claim, release] = [link.script(CLAIM), link.script(RELEASE)]
  return {
    isRemote,
    claim: async (key, deadline) => {
      try {
        await claim.run([names.index, claims], [key, Math.ceil(deadline)])
      } catch (error) {
        // The name may or may not have been added; nothing was written.
        throw error instanceof RealtimeError && error.code === 'OUTCOME_UNKNOWN'
          ? new RealtimeError('UNAVAILABLE', {
              message: `No reply from Redis while ${key} was added to the index. It was not written.`,
              cause: error,
            })
          : error
      }
    },
    forget: async (key, read) => {
      const mark = textOf(await link.command('HGET', claims, key))
      // In this order: a writer that claims the name from now on changes the claim, and one that did so before can no longer
      // write.
      if (mark !== null && Number(mark) + CLOCKS_MS > link.now()) return
      if (isAbsent(await read())) await release.run([names.index, claims], [key, mark ?? ''])
    },
  }
}
